// Lists the items that an access token shows, then follows their changes, over one WebSocket with graphql-ws. It
// goes on over restarts of the server, and misses nothing.
//
//     make clients                                                  # installs the packages, once
//     node examples/node/follow.mjs http://127.0.0.1:8080 ict_…
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { bearer, connection, end, pause, serverURL, why } from '../command-line.mjs';

const [url, token] = process.argv.slice(2);
const base = serverURL(url, 'follow.mjs URL TOKEN');
const authorization = bearer(token, 'follow.mjs URL TOKEN');
const ended = async (error) => end(await why(error, base, authorization));
const client = createClient({
  url: base.replace(/^http/, 'ws') + '/graphql',
  webSocketImpl: WebSocket, connectionParams: { authorization },
  lazy: false, // connected for as long as the program runs
  onNonLazyError: ended,
  retryAttempts: Infinity, retryWait: pause,
  shouldRetry: () => connection.made, // a URL that has never worked may be wrong
  on: { connected: () => connection.open(), closed: ({ code }) => connection.made && code !== 4401 && connection.lost() },
});
const [page, changes] = [{}, {}]; // the variables: from where each goes on
const list = /* GraphQL */ `query List($after: String) {
  items(first: 200, after: $after) { changeCursor nodes { id name } pageInfo { endCursor hasNextPage } }
}`;
for (let more = true; more; ) {
  const { value: { data, errors } } = await client.iterate({ query: list, variables: page }).next().catch(ended);
  if (!data) await ended(errors);
  for (const { id, name } of data.items.nodes) console.log('LISTED', id, name);
  changes.after ??= data.items.changeCursor; // of the first page
  ({ endCursor: page.after, hasNextPage: more } = data.items.pageInfo);
}
const follow = /* GraphQL */ `subscription Follow($after: Cursor) {
  itemChanges(after: $after) { cursor kind item { id name } }
}`;
client.subscribe({ query: follow, variables: changes }, { error: ended, complete() {}, next({ data }) {
  console.log(data.itemChanges.kind, data.itemChanges.item.id, data.itemChanges.item.name);
  changes.after = data.itemChanges.cursor; // the client sends it when it reconnects
} });
