// Runs a query, one that is refused, a subscription and a mutation with one client, and prints what each brings as a line of JSON.
// Arguments: the client, one of those below; the endpoint; the Authorization header.
import { ApolloClient, ApolloLink, gql as parse, HttpLink, InMemoryCache, Observable } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { cacheExchange, Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { print } from 'graphql';
import * as sse from 'graphql-sse';
import * as ws from 'graphql-ws';
import WebSocket from 'ws';

const [name, url, authorization] = process.argv.slice(2);
const say = (what) => console.log(JSON.stringify(what));
const headers = { authorization };

const overWS = () =>
  ws.createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: headers, retryAttempts: 0 });
const overSSE = () => sse.createClient({ url, headers, retryAttempts: 0 });

// Each client runs an operation by (query, variables, next); next gets the data and errors of every result.
const bare = (client) => (query, variables, next) =>
  client.subscribe({ query, variables }, {
    next,
    error: (error) => next({ errors: [error].flat() }), // graphql-ws gives the list of errors as it came
    complete: () => {},
  });

const urql = (exchanges, options) => {
  const client = new Client({ url, fetchOptions: { headers }, exchanges: [cacheExchange, ...exchanges], ...options });
  return (query, variables, next) => {
    const sink = ({ data, error }) => next({ data, errors: error?.networkError ? [{ message: error.message }] : error?.graphQLErrors });
    client[query.split(' ')[0]](query, variables).subscribe(sink); // its methods are called as the operations
  };
};
const forward = (client) => ({ query, variables, operationName, extensions }) => ({
  subscribe: (sink) => ({ unsubscribe: client.subscribe({ query, variables, operationName, extensions }, sink) }),
});

const apollo = (subscriptions, options) => {
  const isSubscription = ({ operationType }) => operationType === 'subscription';
  const link = ApolloLink.split(isSubscription, subscriptions, new HttpLink({ uri: url, headers, ...options }));
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  return (text, variables, next) => {
    const operation = parse(text);
    const kind = operation.definitions[0].operation;
    const failed = (error) => next({ errors: error.errors ?? [error] });
    if (kind === 'subscription') {
      const sink = ({ data, error }) => (error ? failed(error) : next({ data }));
      client.subscribe({ query: operation, variables }).subscribe({ next: sink, error: failed });
      return;
    }
    (kind === 'mutation' ? client.mutate({ mutation: operation, variables }) : client.query({ query: operation, variables })).then(next, failed);
  };
};
// As graphql-sse's README has it: Apollo's own link knows no server-sent events.
const sseLink = (client) =>
  new ApolloLink(({ query, variables, operationName, extensions }) =>
    new Observable((sink) => client.subscribe({ query: print(query), variables, operationName, extensions }, sink)),
  );

const run = {
  'graphql-ws': () => bare(overWS()),
  'graphql-sse': () => bare(overSSE()),
  'urql over graphql-ws': () => urql([fetchExchange, subscriptionExchange({ forwardSubscription: forward(overWS()) })]),
  'urql over graphql-ws alone': () =>
    urql([subscriptionExchange({ forwardSubscription: forward(overWS()), enableAllOperations: true })]),
  'urql over graphql-sse': () => urql([fetchExchange, subscriptionExchange({ forwardSubscription: forward(overSSE()) })]),
  'urql by itself': () => urql([fetchExchange], { fetchSubscriptions: true }),
  'urql by POST': () => urql([fetchExchange], { fetchSubscriptions: true, preferGetMethod: false }),
  'apollo over graphql-ws': () => apollo(new GraphQLWsLink(overWS())),
  'apollo over graphql-sse': () => apollo(sseLink(overSSE())),
  'apollo by GET': () => apollo(new GraphQLWsLink(overWS()), { useGETForQueries: true }),
}[name]();

const once = (query, variables) => new Promise((resolve) => run(query, variables, resolve));

const start = await once('query Start { me { email } items(first: 1) { changeCursor } }', {});
say({ query: start });
say({ refused: await once('query No { nothing }', {}) });
const follow = 'subscription Changes($after: Cursor) { itemChanges(after: $after) { cursor kind document } }';
const change = once(follow, { after: start.data.items.changeCursor });
const make = 'mutation Make($name: String!) { createItem(input: { name: $name }) { item { id name } } }';
say({ mutation: await once(make, { name: 'Müde Tod, der 🎞' }) });
say({ change: await change });
process.exit(0);
