// Queries, mutations and subscriptions with graphql-ws or graphql-sse alone.
//
//     make clients                                                              # installs the packages, once
//     node examples/clients/graphql.mjs http://127.0.0.1:8080 EMAIL:PASSWORD graphql-ws
//     node examples/clients/graphql.mjs http://127.0.0.1:8080 EMAIL:PASSWORD graphql-sse
import * as sse from 'graphql-sse';
import * as ws from 'graphql-ws';
import WebSocket from 'ws';
import { commandLine, runAll } from './operations.mjs';

const transports = ['graphql-ws', 'graphql-sse'];
const { url, socketURL, authorization, transport } = await commandLine('graphql.mjs', transports);
const headers = { authorization };

const client = {
  'graphql-ws': () =>
    ws.createClient({ url: socketURL, webSocketImpl: WebSocket, connectionParams: headers, retryAttempts: 0 }),
  'graphql-sse': () => sse.createClient({ url, headers, retryAttempts: 0 }),
}[transport]();

await runAll((query, variables, next) =>
  client.subscribe(
    { query, variables },
    {
      next,
      error: (error) => next({ errors: [error].flat() }), // graphql-ws passes the list of errors as it came
      complete: () => {},
    },
  ),
);
