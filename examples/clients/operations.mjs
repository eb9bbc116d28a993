// The operations that each example of this folder runs: a query, a query with a mistake, a subscription that starts at
// the cursor of the first query, and a mutation, which the subscription reports. Each result is printed as a line of
// JSON.
import { basic, end, reason, refusal, serverURL } from '../command-line.mjs';

// commandLine checks the arguments: the base URL, EMAIL:PASSWORD, and one of the transports, if there are several. It
// signs in once, so that a mistake is told in one line: each client reports it in its own way, or tries again.
export async function commandLine(script, transports) {
  const usage = [script, 'URL', 'EMAIL:PASSWORD', ...(transports ? [transports.join('|')] : [])].join(' ');
  const [given, credentials, transport] = process.argv.slice(2);
  const base = serverURL(given, usage);
  const authorization = basic(credentials, usage);
  if (transports && !transports.includes(transport)) end(`usage: ${usage}`);
  const me = await fetch(base + '/api/v1/me', { headers: { authorization, accept: 'application/json' } }).catch((error) =>
    end(`${base} cannot be reached: ${reason(error)}`),
  );
  if (!me.ok) end(refusal(me.status, base) || `${base} answers ${me.status}: try again later`);
  return { url: base + '/graphql', socketURL: base.replace(/^http/, 'ws') + '/graphql', authorization, transport };
}
// runAll runs the operations with run(query, variables, next), which calls next with the data and errors of each
// result.
export async function runAll(run) {
  const print = (line) => console.log(JSON.stringify(line));
  const once = (query, variables) => new Promise((resolve) => run(query, variables, resolve));

  const start = await once(/* GraphQL */ `query Start { me { id email } items(first: 1) { changeCursor } }`, {});
  print({ query: start });
  print({ refused: await once('query No { nothing }', {}) });
  const follow = /* GraphQL */ `subscription Changes($after: Cursor) {
    itemChanges(after: $after) { cursor kind document }
  }`;
  const change = once(follow, { after: start.data.items.changeCursor });
  const create = /* GraphQL */ `mutation Create($name: String!) {
    createItem(input: { name: $name }) { item { id name } }
  }`;
  print({ mutation: await once(create, { name: 'Müde Tod, der 🎞' }) });
  print({ change: await change });
  process.exit(0);
}
