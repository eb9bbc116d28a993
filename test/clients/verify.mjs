// Receives what a hook sends and verifies it with the npm package standardwebhooks, unchanged, as a program would; prints what it takes and
// what it refuses as lines of JSON. While a secret is rotated a delivery carries two signatures, and the holder of either secret verifies it.
//     node verify.mjs PORT SECRET
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const [port, secret] = process.argv.slice(2);
const say = (what) => console.log(JSON.stringify(what));

const webhook = new Webhook(secret); // whsec_…, from the answer that made the hook

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks); // the very bytes that were signed: verify before anything parses them

  let item;
  try {
    item = webhook.verify(body, request.headers); // throws when it was not signed with the secret, within 5 minutes
  } catch (error) {
    say({ refused: error.message });
    return response.writeHead(401).end();
  }
  // Deliveries may come again, under the same webhook-id; a revision that is not higher than the one you have is not news.
  say({ event: request.headers['itemcast-event'], id: request.headers['webhook-id'], revision: item.revision, item });
  response.writeHead(204).end();
});
server.listen(Number(port), '127.0.0.1', () => say({ listening: server.address().port }));
