// Follows itemChanges with graphql-ws, the client that people use, and prints what happens as lines of JSON. After a lost connection it
// resumes after the last change that it has seen. Arguments: the endpoint; where credentials go: init, header or none; the Authorization header; a cursor.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, where, authorization, from] = process.argv.slice(2);
const say = (what) => console.log(JSON.stringify(what));

class WithHeader extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols, { headers: { authorization } });
  }
}

const client = createClient({
  url,
  webSocketImpl: where === 'header' ? WithHeader : WebSocket,
  connectionParams: where === 'init' ? { authorization } : undefined,
  lazy: false,
  retryAttempts: 100,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 100)),
  shouldRetry: (event) => event?.code !== 4403,
  onNonLazyError: () => {},
  on: {
    connected: () => say({ connected: true }),
    closed: (event) => say({ closed: event.code ?? 0, reason: event.reason ?? '' }),
  },
});

const variables = { after: from || null }; // graphql-ws sends the same object again when it reconnects
const query = `subscription ($after: Cursor) { itemChanges(after: $after) { cursor kind revision document } }`;
client.subscribe(
  { query, variables },
  {
    next: ({ data, errors }) => {
      if (errors) return say({ errors });
      variables.after = data.itemChanges.cursor;
      say({ event: data.itemChanges });
    },
    error: (error) => {
      say({ error: Array.isArray(error) ? error : { code: error?.code ?? 0, message: String(error?.message ?? error?.reason ?? error) } });
      process.exit(0);
    },
    complete: () => {
      say({ complete: true });
      process.exit(0);
    },
  },
);
