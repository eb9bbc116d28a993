// Queries, mutations and subscriptions with Apollo Client.
//
//     make clients                                                              # installs the packages, once
//     node examples/clients/apollo.mjs http://127.0.0.1:8080 EMAIL:PASSWORD TRANSPORT
//
// TRANSPORT is one of the keys below.
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache, Observable } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { print } from 'graphql';
import * as sse from 'graphql-sse';
import * as ws from 'graphql-ws';
import WebSocket from 'ws';
import { commandLine, runAll } from './operations.mjs';

const transports = ['graphql-ws', 'graphql-sse', 'get'];
const { url, socketURL, authorization, transport } = await commandLine('apollo.mjs', transports);
const headers = { authorization };

const overWS = () =>
  new GraphQLWsLink(
    ws.createClient({ url: socketURL, webSocketImpl: WebSocket, connectionParams: headers, retryAttempts: 0 }),
  );

// Apollo Client has no link for server-sent events; this one is from the README of graphql-sse.
const overSSE = () => {
  const client = sse.createClient({ url, headers, retryAttempts: 0 });
  return new ApolloLink(
    ({ query, variables, operationName, extensions }) =>
      new Observable((sink) => client.subscribe({ query: print(query), variables, operationName, extensions }, sink)),
  );
};

const { subscriptions, ...options } = {
  'graphql-ws': () => ({ subscriptions: overWS() }),
  'graphql-sse': () => ({ subscriptions: overSSE() }),
  get: () => ({ subscriptions: overWS(), useGETForQueries: true }),
}[transport]();

const isSubscription = ({ operationType }) => operationType === 'subscription';
const client = new ApolloClient({
  link: ApolloLink.split(isSubscription, subscriptions, new HttpLink({ uri: url, headers, ...options })),
  cache: new InMemoryCache(),
});

await runAll((text, variables, next) => {
  const document = gql(text);
  const failed = (error) => next({ errors: error.errors ?? [error] });
  switch (document.definitions[0].operation) {
    case 'query':
      return client.query({ query: document, variables }).then(next, failed);
    case 'mutation':
      return client.mutate({ mutation: document, variables }).then(next, failed);
    case 'subscription':
      return client.subscribe({ query: document, variables }).subscribe({
        next: ({ data, error }) => (error ? failed(error) : next({ data })),
        error: failed,
      });
  }
});
