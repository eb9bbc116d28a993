// Signs a ticket and uploads a file with it, without packages. In an application, your server signs the ticket, and a
// browser or a device uploads with it.
//
//     node examples/upload-ticket/node/upload.mjs http://127.0.0.1:8080 PROFILE icu_… FILE
import { createHmac, randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { end, reason, serverURL } from '../../command-line.mjs';

const usage = "upload.mjs URL PROFILE icu_… FILE (the profile's upload secret)";
const [url, profile, secret, path] = process.argv.slice(2);
const server = serverURL(url, usage);
if (!path || !secret.startsWith('icu_')) end(`usage: ${usage}`);

// sign returns the two headers of a ticket: its JSON as base64url without padding, and the HMAC-SHA256 of that text in
// lower-case hexadecimal digits. The key is the whole text of the secret.
function sign(claims, secret) {
  const info = Buffer.from(JSON.stringify(claims)).toString('base64url');
  const signature = createHmac('sha256', secret).update(info).digest('hex');
  return { 'itemcast-upload-info': info, 'itemcast-upload-signature': signature };
}

const headers = sign(
  {
    profile,
    expires: Math.floor(Date.now() / 1000) + 600, // in seconds, at most seven days ahead
    nonce: randomUUID(), // one ticket makes one upload
  },
  secret,
);

const types = { '.jpg': 'image/jpeg', '.mp3': 'audio/mpeg', '.mp4': 'video/mp4', '.png': 'image/png' };
const type = types[extname(path).toLowerCase()] ?? 'application/octet-stream';
await access(path, constants.R_OK).catch((error) => end(`Cannot read ${path}: ${error.code}`));
const file = await openAsBlob(path, { type }); // read while it is sent
const body = new FormData();
body.append('file', file, basename(path));
const response = await fetch(`${server}/api/v1/uploads`, { method: 'POST', headers, body }).catch((error) =>
  end(`${server} cannot be reached: ${reason(error)}`),
);
const answer = await response.json().catch(() => null);
if (response.status !== 201) {
  end(`${server} answers ${response.status}: ${answer?.detail ?? 'is this the URL of an Itemcast server?'}`);
}
console.log(JSON.stringify(answer));
