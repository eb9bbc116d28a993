// Follows changes over a WebSocket with graphql-ws, and prints what happens as lines of JSON. After a lost connection
// it resumes after the last change that it has handled.
//
//     make clients                                                              # installs the packages, once
//     node examples/subscribers/graphql-ws.mjs http://127.0.0.1:8080 EMAIL:PASSWORD
//
// --after=CURSOR starts after a cursor instead of now. --credentials=header sends the credentials with the handshake,
// which browsers cannot do. Without EMAIL:PASSWORD no credentials are sent. --retries=N gives up after N attempts to
// reconnect that failed.
import { parseArgs } from 'node:util';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    after: { type: 'string' },
    credentials: { type: 'string', default: 'init' },
    retries: { type: 'string', default: 'Infinity' },
  },
});
const [base, credentials] = positionals;
const authorization = credentials && 'Basic ' + Buffer.from(credentials).toString('base64');
const print = (line) => console.log(JSON.stringify(line));

class WithHeader extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols, { headers: { authorization } });
  }
}

const client = createClient({
  url: base.replace(/^http/, 'ws') + '/graphql',
  webSocketImpl: options.credentials === 'header' ? WithHeader : WebSocket,
  connectionParams: options.credentials === 'init' && authorization ? { authorization } : undefined,
  retryAttempts: Number(options.retries), // by default 5; the waits between the attempts double
  shouldRetry: () => true, // by default it gives up when no connection can be made
  on: {
    connected: () => print({ connected: true }),
    closed: (event) => print({ closed: event.code ?? 0, reason: event.reason ?? '' }),
  },
});

const variables = { after: options.after ?? null }; // the client sends the current value when it reconnects
const query = /* GraphQL */ `subscription ChangesByWebSocket($after: Cursor) {
  itemChanges(after: $after) { cursor kind revision document }
}`;
client.subscribe(
  { query, variables },
  {
    next: ({ data, errors }) => {
      if (errors) return print({ errors });
      print({ event: data.itemChanges }); // handle the change, then store its cursor
      variables.after = data.itemChanges.cursor;
    },
    error: (error) => {
      const closed = { code: error?.code ?? 0, message: String(error?.message ?? error?.reason ?? error) };
      print({ error: Array.isArray(error) ? error : closed });
      process.exit(0);
    },
    complete: () => {
      print({ complete: true });
      process.exit(0);
    },
  },
);
