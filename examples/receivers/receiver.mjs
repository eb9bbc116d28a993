// A receiver of hooks, with the npm package standardwebhooks. It verifies, deduplicates, and prints each delivery as a
// line of JSON.
//
//     make clients                                              # installs the packages, once
//     node examples/receivers/receiver.mjs whsec_… [PORT]       # PORT: 9000
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const [secret, port = '9000'] = process.argv.slice(2);
const print = (line) => console.log(JSON.stringify(line));
const end = (line) => {
  console.error(line);
  process.exit(1);
};
const [, key] = /^whsec_(.+)$/.exec(secret ?? '') ?? [];
if (!key || Buffer.from(key, 'base64').toString('base64') !== key) {
  end('usage: receiver.mjs whsec_… [PORT] (the secret of the hook)');
}
if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) end(`${port} is not a port`);

const webhook = new Webhook(secret); // from the response that created the hook, or from rotate-secret
const handled = new Set(); // in a real receiver: a table, written in the transaction that does the work

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks); // the bytes that were signed: verify before anything parses them

  let item;
  try {
    item = webhook.verify(body, request.headers); // throws unless it was signed with the secret, within five minutes
  } catch (error) {
    print({ refused: error.message });
    return response.writeHead(401).end();
  }
  const id = request.headers['webhook-id'];
  if (handled.has(id)) {
    print({ repeated: id });
    return response.writeHead(204).end();
  }
  handled.add(id);
  const task = request.headers['itemcast-task']; // only of a workflow's task
  print({ event: request.headers['itemcast-event'], task, id, revision: item.revision, item });
  response.writeHead(204).end(); // within 15 seconds; do long work after the response
});
server.on('error', (error) => end(`Port ${port} cannot be used: ${error.code}`));
server.listen(Number(port), '127.0.0.1', () => print({ listening: server.address().port }));
