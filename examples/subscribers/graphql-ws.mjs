// Follows changes over a WebSocket with graphql-ws, and prints what happens as lines of JSON. After a lost connection
// it resumes after the last change that it has handled, however long the outage was.
//
//     make clients                                                              # installs the packages, once
//     node examples/subscribers/graphql-ws.mjs http://127.0.0.1:8080 EMAIL:PASSWORD
//
// --after=CURSOR starts after a cursor instead of now. --credentials=header sends the credentials with the handshake,
// which browsers cannot do. Without EMAIL:PASSWORD no credentials are sent. --retries=N gives up after N attempts to
// reconnect that failed, with the waits of graphql-ws.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { basic, connection, end, options, pause, reason, serverURL } from '../command-line.mjs';

const usage = 'graphql-ws.mjs URL EMAIL:PASSWORD [--after=CURSOR] [--credentials=header] [--retries=N]';
const { positionals, values } = options(usage, { after: {}, credentials: { default: 'init' }, retries: {} });
const base = serverURL(positionals[0], usage);
const authorization = positionals[1] && basic(positionals[1], usage);
const print = (line) => console.log(JSON.stringify(line));

const refused = 4401; // the close code of credentials that are wrong, or that are not valid any more

class WithHeader extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols, { headers: { authorization } });
  }
}

const client = createClient({
  url: base.replace(/^http/, 'ws') + '/graphql',
  webSocketImpl: values.credentials === 'header' ? WithHeader : WebSocket,
  connectionParams: values.credentials === 'init' && authorization ? { authorization } : undefined,
  lazy: false, // connected for as long as the program runs
  onNonLazyError: () => {}, // the subscription gets the error too
  // By default it gives up after 5 attempts, and the waits between them double without a limit.
  ...(values.retries ? { retryAttempts: Number(values.retries) } : { retryAttempts: Infinity, retryWait: pause }),
  // By default it does not retry when no connection can be made. But a URL that has never worked may be wrong: then only
  // a server that closes the connection, or answers 5xx, is tried again.
  shouldRetry: (event) => connection.made || event.code > 0 || / 5\d\d$/.test(event.message),
  on: {
    connected: () => {
      connection.open();
      print({ connected: true });
    },
    closed: (event) => {
      print({ closed: event.code ?? 0, reason: event.reason ?? '' });
      if (connection.made && event.code !== refused) connection.lost();
    },
  },
});

function failed(error) {
  const closed = { code: error?.code ?? 0, message: String(error?.message ?? error?.reason ?? error) };
  print({ error: Array.isArray(error) ? error : closed });
  if (Array.isArray(error)) end(`The subscription has ended: ${error[0].message}`);
  if (error?.code === refused) end('The server refuses the credentials: check EMAIL:PASSWORD');
  if (error?.code) end(`The server has closed the connection: ${error.code} ${error.reason}`);
  end(`${base} cannot be reached: ${reason(error)}`);
}

// present returns the cursor of now: with it nothing is lost either when the connection is away before the first change.
function present() {
  const query = /* GraphQL */ `query Present { items(first: 1) { changeCursor } }`;
  return new Promise((resolve) => {
    const next = ({ data, errors }) => (errors ? failed(errors) : resolve(data.items.changeCursor));
    client.subscribe({ query }, { next, error: failed, complete: () => {} });
  });
}

const variables = { after: values.after ?? (await present()) }; // the client sends the current value when it reconnects
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
    error: failed,
    complete: () => {
      print({ complete: true });
      process.exit(0);
    },
  },
);
