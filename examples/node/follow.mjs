// Lists the items that an access token shows, then follows their changes, over one WebSocket with graphql-ws. It goes
// on over restarts of the server, and misses nothing.
//
//     make clients                                                              # installs the packages, once
//     node examples/node/follow.mjs http://127.0.0.1:8080 ict_…
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
const client = createClient({
  url: `${url.replace(/^http/, 'ws')}/graphql`,
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${token}` },
  retryAttempts: Infinity,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 500 + 1000 * Math.random())),
  shouldRetry: () => true, // also while nothing listens
  on: { connected: () => console.error('connected'), closed: ({ reason }) => console.error('away', reason) },
});

const list = { after: null };
const changes = { after: null };
do {
  const query = /* GraphQL */ `query List($after: String) {
    items(first: 200, after: $after) { changeCursor nodes { id name } pageInfo { hasNextPage endCursor } }
  }`;
  for await (const { data } of client.iterate({ query, variables: list })) {
    for (const item of data.items.nodes) console.log('LISTED', item.id, item.name);
    changes.after ??= data.items.changeCursor; // of the first page
    list.after = data.items.pageInfo.hasNextPage ? data.items.pageInfo.endCursor : null;
  }
} while (list.after);

const query = /* GraphQL */ `subscription Follow($after: Cursor) {
  itemChanges(after: $after) { cursor kind item { id name } }
}`;
for await (const { data } of client.iterate({ query, variables: changes })) {
  console.log(data.itemChanges.kind, data.itemChanges.item.id, data.itemChanges.item.name);
  changes.after = data.itemChanges.cursor; // the client sends it when it reconnects
}
