// A receiver of hooks for frameworks whose handlers take a Request and return a Response, such as Next.js, Hono and
// workers; with the npm package svix. It verifies, deduplicates, and prints each delivery as a line of JSON.
//
//     make clients                                           # installs the packages, once
//     node examples/receivers/fetch.mjs whsec_… [PORT]       # PORT: 9000
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { Webhook } from 'svix';
import { end } from '../command-line.mjs';

const [secret, port = '9000'] = process.argv.slice(2);
const print = (line) => console.log(JSON.stringify(line));
const [, key] = /^whsec_(.+)$/.exec(secret ?? '') ?? [];
if (!key || Buffer.from(key, 'base64').toString('base64') !== key) {
  end('usage: fetch.mjs whsec_… [PORT] (the secret of the hook)');
}
if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) end(`${port} is not a port`);

const webhook = new Webhook(secret); // from the response that created the hook, or from rotate-secret
const handled = new Set(); // in a real receiver: a table, written in the transaction that does the work

// handle is what a framework calls.
async function handle(request) {
  const body = await request.text();
  try {
    webhook.verify(body, Object.fromEntries(request.headers)); // throws unless it was signed, within five minutes
  } catch (error) {
    print({ refused: error.message });
    return new Response(null, { status: 401 });
  }
  const item = JSON.parse(body); // verify returns nothing
  const id = request.headers.get('webhook-id');
  if (handled.has(id)) {
    print({ repeated: id });
    return new Response(null, { status: 204 });
  }
  handled.add(id);
  const task = request.headers.get('itemcast-task') ?? undefined; // only of a workflow's task
  print({ event: request.headers.get('itemcast-event'), task, id, revision: item.revision, item });
  return new Response(null, { status: 204 }); // within 15 seconds; do long work after the response
}

// Node.js has no server that calls such handlers, so this makes one.
const server = createServer(async (incoming, outgoing) => {
  const { method, headers } = incoming;
  const body = method === 'POST' ? Readable.toWeb(incoming) : null;
  const request = new Request(`http://127.0.0.1${incoming.url}`, { method, headers, body, duplex: 'half' });
  const response = await handle(request);
  outgoing.writeHead(response.status).end();
});
server.on('error', (error) => end(`Port ${port} cannot be used: ${error.code}`));
server.listen(Number(port), '127.0.0.1', () => print({ listening: server.address().port }));
