// Queries, mutations and subscriptions with urql.
//
//     make clients                                                              # installs the packages, once
//     node examples/clients/urql.mjs http://127.0.0.1:8080 EMAIL:PASSWORD TRANSPORT
//
// TRANSPORT is one of the keys below.
import { cacheExchange, Client, fetchExchange, subscriptionExchange } from '@urql/core';
import * as sse from 'graphql-sse';
import * as ws from 'graphql-ws';
import WebSocket from 'ws';
import { commandLine, runAll } from './operations.mjs';

const transports = ['graphql-ws', 'graphql-ws-alone', 'graphql-sse', 'fetch', 'fetch-post'];
const { url, socketURL, authorization, transport } = await commandLine('urql.mjs', transports);
const headers = { authorization };

const overWS = () =>
  ws.createClient({ url: socketURL, webSocketImpl: WebSocket, connectionParams: headers, retryAttempts: 0 });
const overSSE = () => sse.createClient({ url, headers, retryAttempts: 0 });
const forward = (client) => ({ query, variables, operationName, extensions }) => ({
  subscribe: (sink) => ({ unsubscribe: client.subscribe({ query, variables, operationName, extensions }, sink) }),
});

const { exchanges, ...options } = {
  // Subscriptions over graphql-ws, the rest over HTTP.
  'graphql-ws': () => ({
    exchanges: [fetchExchange, subscriptionExchange({ forwardSubscription: forward(overWS()) })],
  }),
  // Everything over graphql-ws.
  'graphql-ws-alone': () => ({
    exchanges: [subscriptionExchange({ forwardSubscription: forward(overWS()), enableAllOperations: true })],
  }),
  'graphql-sse': () => ({
    exchanges: [fetchExchange, subscriptionExchange({ forwardSubscription: forward(overSSE()) })],
  }),
  // urql itself subscribes over server-sent events; it sends queries by GET.
  fetch: () => ({ exchanges: [fetchExchange], fetchSubscriptions: true }),
  'fetch-post': () => ({ exchanges: [fetchExchange], fetchSubscriptions: true, preferGetMethod: false }),
}[transport]();

const client = new Client({ url, fetchOptions: { headers }, exchanges: [cacheExchange, ...exchanges], ...options });

await runAll((query, variables, next) => {
  const sink = ({ data, error }) =>
    next({ data, errors: error?.networkError ? [{ message: error.message }] : error?.graphQLErrors });
  client[query.split(' ')[0]](query, variables).subscribe(sink); // its methods are called query, mutation, subscription
});
