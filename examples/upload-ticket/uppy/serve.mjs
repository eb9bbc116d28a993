// A website on which visitors upload videos with Uppy: its server signs a ticket for each file, and the browser sends
// the file straight to Itemcast. A lost connection is resumed.
//
//     make clients                                                               # installs the packages, once
//     node examples/upload-ticket/uppy/serve.mjs http://127.0.0.1:8080 PROFILE icu_… [PORT]
//
// The profile's uploads.origins must have the address that this prints. PORT is 3000 unless given; 0 takes a free one.
import { createHmac, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { end, serverURL } from '../../command-line.mjs';

const usage = "serve.mjs URL PROFILE icu_… [PORT] (the profile's upload secret)";
const [url, profile, secret, port = '3000'] = process.argv.slice(2);
const server = serverURL(url, usage);
if (!secret?.startsWith('icu_')) end(`usage: ${usage}`);

// ticket returns the two headers that let one file in. In your application, decide here who may upload.
function ticket() {
  const claims = { profile, expires: Math.floor(Date.now() / 1000) + 600, nonce: randomUUID() };
  const info = Buffer.from(JSON.stringify(claims)).toString('base64url');
  const signature = createHmac('sha256', secret).update(info).digest('hex');
  return { 'itemcast-upload-info': info, 'itemcast-upload-signature': signature };
}

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const { outputFiles: [script] } = await build({ entryPoints: [here('page.mjs')], bundle: true, format: 'esm', write: false });
const page = (await readFile(here('page.html'), 'utf8')).replace('ENDPOINT', `${server}/api/v1/uploads/tus/`);
const answers = {
  'GET /': () => ['text/html; charset=utf-8', page],
  'GET /page.js': () => ['text/javascript; charset=utf-8', script.text],
  'POST /ticket': () => ['application/json', JSON.stringify(ticket())],
};
const site = createServer((request, response) => {
  const answer = answers[`${request.method} ${request.url}`];
  if (!answer) return response.writeHead(404).end();
  const [type, body] = answer();
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
});
site.on('error', (error) => end(`Cannot listen on port ${port}: ${error.code}`));
site.listen(Number(port), '127.0.0.1', () => console.log(`http://localhost:${site.address().port}`));
