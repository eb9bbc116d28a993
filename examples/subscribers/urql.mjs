// Follows changes with urql, over server-sent events, and prints what happens as lines of JSON. After an error, or a
// lost connection, it subscribes again after the last change that it has handled.
//
//     make clients                                                              # installs the packages, once
//     node examples/subscribers/urql.mjs http://127.0.0.1:8080 EMAIL:PASSWORD
//
// --after=CURSOR starts after a cursor instead of now.
import { Client, fetchExchange } from '@urql/core';
import { basic, connection, end, options, pause, reason, refusal, serverURL } from '../command-line.mjs';

const usage = 'urql.mjs URL EMAIL:PASSWORD [--after=CURSOR]';
const { positionals, values } = options(usage, { after: {} });
const base = serverURL(positionals[0], usage);
const authorization = basic(positionals[1], usage);
const print = (line) => console.log(JSON.stringify(line));

const client = new Client({
  url: base + '/graphql',
  exchanges: [fetchExchange],
  fetchOptions: { headers: { authorization } },
  fetchSubscriptions: true,
  preferGetMethod: false,
});

// failed says why a result has an error, and ends the program if another attempt would fail in the same way.
function failed({ graphQLErrors, networkError, response }) {
  print(networkError ? { away: reason(networkError) } : { errors: graphQLErrors });
  const [first] = graphQLErrors;
  if (first?.extensions?.code === 'CURSOR_EXPIRED') end(`The subscription has ended: ${first.message}`);
  const refused = response?.status > 299 && refusal(response.status, base);
  if (refused) end(refused);
  if (!connection.made && !response) end(`${base} cannot be reached: ${reason(networkError)}`);
}

// present returns the cursor of now: with it nothing is lost either when the connection is away before the first change.
async function present() {
  const query = /* GraphQL */ `query PresentForUrql { items(first: 1) { changeCursor } }`;
  for (let attempts = 0; ; attempts++) {
    const { data, error } = await client.query(query, {});
    if (!error) {
      connection.open();
      return data.items.changeCursor;
    }
    failed(error);
    connection.lost(); // the server is busy, or cannot reach its database
    await pause(attempts);
  }
}

let after = values.after ?? (await present()); // the cursor of the last change that was handled
let attempts = 0;
const query = /* GraphQL */ `subscription ChangesByUrql($after: Cursor) {
  itemChanges(after: $after) { cursor kind revision document }
}`;

// isComplete tells an answer that is complete at once, such as a refusal, from a stream.
const isComplete = (error) => !/event-stream/.test(error?.response?.headers.get('content-type') ?? 'event-stream');

function follow() {
  client.subscription(query, { after }).subscribe(({ data, error, hasNext }) => {
    // The stream has ended. The last result has the data and the error of the one before it again.
    if (!hasNext || isComplete(error)) return again(error);
    if (error) return; // the end follows; until then, urql repeats the error
    connection.open();
    attempts = 0;
    print({ event: data.itemChanges }); // handle the change, then store its cursor
    after = data.itemChanges.cursor;
  });
}

async function again(error) {
  if (error) failed(error);
  connection.lost();
  await pause(attempts++);
  follow();
}

print({ from: after });
follow();
