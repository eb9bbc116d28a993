// Runs the audits of graphql-http (https://github.com/graphql/graphql-http), the reference for GraphQL over HTTP, and
// prints each result as a line of JSON.
//
//     make clients                                                              # installs the packages, once
//     node examples/clients/audit.mjs http://127.0.0.1:8080 EMAIL:PASSWORD
import { serverAudits } from 'graphql-http';
import { commandLine } from './operations.mjs';

const { url, authorization } = await commandLine('audit.mjs');
const fetchFn = (input, init = {}) => fetch(input, { ...init, headers: { ...init.headers, authorization } });

for (const audit of serverAudits({ url, fetchFn })) {
  const result = await audit.fn();
  console.log(JSON.stringify({ id: audit.id, name: audit.name, status: result.status, reason: result.reason ?? '' }));
}
