// Signs a ticket and uploads a file so that a lost connection, a killed server and even the end of this program lose
// next to nothing: run it again with the same arguments, and it resumes. In an application, your server signs the
// ticket, and a page uploads with the same package.
//
//     node examples/upload-ticket/node/resumable.mjs http://127.0.0.1:8080 PROFILE icu_… FILE [STATE] [PARTS]
//
// STATE is a file that remembers the uploads under way, by default uploads.json. PARTS parts are sent at once.
import { createHmac, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { FileUrlStorage, Upload } from 'tus-js-client';
import { end, reason, serverURL } from '../../command-line.mjs';

const usage = "resumable.mjs URL PROFILE icu_… FILE [STATE] [PARTS] (the profile's upload secret)";
const [url, profile, secret, path, state = 'uploads.json', parts = '1'] = process.argv.slice(2);
const server = serverURL(url, usage);
if (!path || !secret.startsWith('icu_')) end(`usage: ${usage}`);
await access(path, constants.R_OK).catch((error) => end(`Cannot read ${path}: ${error.code}`));

// sign returns the two headers of a ticket, as upload.mjs does.
function sign(claims, secret) {
  const info = Buffer.from(JSON.stringify(claims)).toString('base64url');
  const signature = createHmac('sha256', secret).update(info).digest('hex');
  return { 'itemcast-upload-info': info, 'itemcast-upload-signature': signature };
}

const expires = Math.floor(Date.now() / 1000) + 600; // in seconds; the upload itself may take days
let item = null;
const upload = new Upload(createReadStream(resolve(path)), {
  endpoint: `${server}/api/v1/uploads/tus/`,
  headers: sign({ profile, expires, nonce: randomUUID() }, secret),
  metadata: { filename: basename(path) },
  parallelUploads: Number(parts),
  retryDelays: [0, 500, 1000, 2000, 3000, 5000, 5000, 5000], // starts again after each success
  urlStorage: new FileUrlStorage(state),
  removeFingerprintOnSuccess: true,
  onAfterResponse(_request, response) {
    item = response.getHeader('Itemcast-Item-Id') ?? item;
  },
  onProgress(sent, size) {
    if (process.env.PROGRESS) console.error(`${sent} of ${size} bytes`);
  },
  onError(error) {
    const response = error.originalResponse;
    if (!response) end(`${server} cannot be reached: ${reason(error.causingError ?? error)}`);
    let detail = 'is this the URL of an Itemcast server?';
    try {
      detail = JSON.parse(response.getBody()).detail;
    } catch {
      // not a problem of Itemcast's
    }
    end(`${server} answers ${response.getStatus()}: ${detail}`);
  },
  onSuccess() {
    console.log(JSON.stringify({ item, url: upload.url }));
  },
});
const [previous] = await upload.findPreviousUploads();
if (previous) upload.resumeFromPreviousUpload(previous);
upload.start();
