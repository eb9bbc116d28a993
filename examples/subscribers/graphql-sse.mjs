// Follows changes over server-sent events with graphql-sse, and prints what happens as lines of JSON. After a lost
// connection it resumes after the last change that it has handled.
//
//     make clients                                                              # installs the packages, once
//     node examples/subscribers/graphql-sse.mjs http://127.0.0.1:8080 EMAIL:PASSWORD
//
// --after=CURSOR starts after a cursor instead of now. --retries=N gives up after N attempts to reconnect that failed.
// --take=N unsubscribes after N changes.
import { parseArgs } from 'node:util';
import { createClient } from 'graphql-sse';

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: { after: { type: 'string' }, retries: { type: 'string', default: 'Infinity' }, take: { type: 'string' } },
});
const [base, credentials] = positionals;
const print = (line) => console.log(JSON.stringify(line));

const client = createClient({
  url: base + '/graphql',
  headers: { authorization: 'Basic ' + Buffer.from(credentials).toString('base64') },
  retryAttempts: Number(options.retries), // by default 5; the waits between the attempts double
  on: { connected: () => print({ connected: true }) },
});

let taken = 0;
const variables = { after: options.after ?? null }; // the client sends the current value when it reconnects
const query = /* GraphQL */ `subscription ChangesBySSE($after: Cursor) {
  itemChanges(after: $after) { cursor kind revision document }
}`;
const unsubscribe = client.subscribe(
  { query, variables },
  {
    next: ({ data, errors }) => {
      if (errors) return print({ errors });
      print({ event: data.itemChanges }); // handle the change, then store its cursor
      variables.after = data.itemChanges.cursor;
      if (++taken === Number(options.take)) {
        unsubscribe();
        setInterval(() => {}, 60_000); // do not exit: the stream ends by unsubscribe, not by the end of the process
      }
    },
    error: (error) => print({ error: { status: error.response?.status ?? 0, message: error.message } }),
    complete: () => print({ complete: true }),
  },
);
