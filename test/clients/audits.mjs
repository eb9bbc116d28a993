// Runs the server audits of graphql-http (https://github.com/graphql/graphql-http), the reference for GraphQL over HTTP, and prints each
// result as a line of JSON. Arguments: the endpoint, the Authorization header.
import { serverAudits } from 'graphql-http';

const [url, authorization] = process.argv.slice(2);
const fetchFn = (input, init = {}) => fetch(input, { ...init, headers: { ...init.headers, authorization } });

for (const audit of serverAudits({ url, fetchFn })) {
  const result = await audit.fn();
  console.log(JSON.stringify({ id: audit.id, name: audit.name, status: result.status, reason: result.reason ?? '' }));
}
