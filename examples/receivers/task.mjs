// A receiver of a workflow's tasks, with the npm package standardwebhooks. The workflow waits for its answer: it refuses
// items whose name has not been settled, and prints each task as a line of JSON.
//
//     make clients                                           # installs the packages, once
//     node examples/receivers/task.mjs whsec_… [PORT]        # PORT: 9000
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { end } from '../command-line.mjs';

const [secret, port = '9000'] = process.argv.slice(2);
const print = (line) => console.log(JSON.stringify(line));
const [, key] = /^whsec_(.+)$/.exec(secret ?? '') ?? [];
if (!key || Buffer.from(key, 'base64').toString('base64') !== key) {
  end('usage: task.mjs whsec_… [PORT] (the secret of the workflow profile)');
}
if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) end(`${port} is not a port`);

const webhook = new Webhook(secret); // from /workflow-profiles/{id}/rotate-secret
const answers = new Map(); // by webhook-id; in a real receiver: a table, written in the transaction that does the work

// decide returns the answer to a task: "ok", "fail" or "skip", and why.
function decide(item) {
  if (/\bdraft\b/i.test(item.name)) return { result: 'fail', comment: `${item.name} is a draft.` };
  return { result: 'ok', comment: 'The rights are cleared.' };
}

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
  if (!answers.has(id)) {
    answers.set(id, decide(item));
    const { 'itemcast-task': task, 'itemcast-task-at': at, 'itemcast-action': action } = request.headers;
    print({ task, at, action, id, item, answer: answers.get(id) });
  }
  const answer = JSON.stringify(answers.get(id)); // a retry gets the same answer
  response.writeHead(200, { 'content-type': 'application/json' }).end(answer); // within 15 seconds
});
server.on('error', (error) => end(`Port ${port} cannot be used: ${error.code}`));
server.listen(Number(port), '127.0.0.1', () => print({ listening: server.address().port }));
