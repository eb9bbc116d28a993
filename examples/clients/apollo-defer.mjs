// @defer with Apollo Client. The server answers completely at once, so `data` has every field in the first result.
//
//     make clients                                                              # installs the packages, once
//     node examples/clients/apollo-defer.mjs http://127.0.0.1:8080 EMAIL:PASSWORD
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { Defer20220824Handler } from '@apollo/client/incremental';
import { commandLine } from './operations.mjs';

const { url, authorization } = await commandLine('apollo-defer.mjs');
const client = new ApolloClient({
  link: new HttpLink({ uri: url, headers: { authorization } }),
  cache: new InMemoryCache(),
  incrementalHandler: new Defer20220824Handler(), // without it, Apollo Client refuses @defer
});

const query = gql`
  query DeferredItems {
    items(first: 1) { nodes { id name ... @defer { createdBy { id name } } } }
  }
`;
client.watchQuery({ query }).subscribe(({ data, dataState, error }) => {
  if (error) throw error;
  if (!data) return; // the query is under way
  console.log(JSON.stringify({ data, dataState }));
  client.stop();
});
