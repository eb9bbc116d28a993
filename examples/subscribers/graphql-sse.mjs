// Follows changes over server-sent events with graphql-sse, and prints what happens as lines of JSON. After a lost
// connection it resumes after the last change that it has handled, however long the outage was.
//
//     make clients                                                              # installs the packages, once
//     node examples/subscribers/graphql-sse.mjs http://127.0.0.1:8080 EMAIL:PASSWORD
//
// --after=CURSOR starts after a cursor instead of now. --take=N unsubscribes after N changes. --retries=N gives up after
// N attempts to reconnect that failed, with the waits of graphql-sse.
import { createClient } from 'graphql-sse';
import { basic, connection, end, options, pause, reason, refusal, serverURL } from '../command-line.mjs';

const usage = 'graphql-sse.mjs URL EMAIL:PASSWORD [--after=CURSOR] [--take=N] [--retries=N]';
const { positionals, values } = options(usage, { after: {}, take: {}, retries: {} });
const base = serverURL(positionals[0], usage);
const authorization = basic(positionals[1], usage);
const print = (line) => console.log(JSON.stringify(line));

// The client retries after every failure, and reads no status: fail here where another attempt cannot succeed.
async function request(...args) {
  const response = await fetch(...args).catch((error) => {
    if (!connection.made) end(`${base} cannot be reached: ${reason(error)}`);
    throw error;
  });
  const refused = refusal(response.status, base);
  if (refused) {
    print({ error: { status: response.status, message: refused } });
    end(refused);
  }
  return response;
}

const client = createClient({
  url: base + '/graphql',
  headers: { authorization },
  fetchFn: request,
  // By default it gives up after 5 attempts, and the waits between them double without a limit.
  ...(values.retries ? { retryAttempts: Number(values.retries) } : { retryAttempts: Infinity, retry: pause }),
  on: {
    connecting: (again) => again && connection.lost(),
    connected: () => {
      connection.open();
      print({ connected: true });
    },
  },
});

// present returns the cursor of now: with it nothing is lost either when the connection is away before the first change.
async function present() {
  for (let attempts = 0; ; attempts++) {
    const response = await request(base + '/api/v1/changes', { headers: { authorization, accept: 'application/json' } });
    if (response.ok) return (await response.json()).cursor;
    connection.lost(); // the server is busy, or cannot reach its database
    await pause(attempts);
  }
}

let taken = 0;
let failure = null;
const variables = { after: values.after ?? (await present()) }; // the client sends the current value when it reconnects
const query = /* GraphQL */ `subscription ChangesBySSE($after: Cursor) {
  itemChanges(after: $after) { cursor kind revision document }
}`;
const unsubscribe = client.subscribe(
  { query, variables },
  {
    next: ({ data, errors }) => {
      if (errors) {
        failure = errors[0].message;
        return print({ errors });
      }
      print({ event: data.itemChanges }); // handle the change, then store its cursor
      variables.after = data.itemChanges.cursor;
      if (++taken === Number(values.take)) {
        unsubscribe();
        setInterval(() => {}, 60_000); // do not exit: the stream ends by unsubscribe, not by the end of the process
      }
    },
    error: (error) => end(`The subscription has failed: ${reason(error)}`),
    complete: () => {
      print({ complete: true });
      if (failure) end(`The subscription has ended: ${failure}`);
    },
  },
);
