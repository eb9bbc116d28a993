// Relay, without React: pages of lists, a mutation, and an item that is read again by its id.
//
//     curl -u $U $I/graphql/schema.graphql -o examples/typed/schema.graphql
//     cd examples/typed && npm ci && npm run relay
//     node dist/relay/main.js $I $U
import { commitMutation, Environment, fetchQuery, graphql, Network, RecordSource, Store } from 'relay-runtime';
import type { main_CreateMutation } from './__generated__/main_CreateMutation.graphql.js';
import type { main_ItemQuery } from './__generated__/main_ItemQuery.graphql.js';
import type { main_ListsQuery } from './__generated__/main_ListsQuery.graphql.js';

const [base = '', credentials = ''] = process.argv.slice(2);
const authorization = 'Basic ' + Buffer.from(credentials).toString('base64');

const environment = new Environment({
  network: Network.create(async (request, variables) => {
    const response = await fetch(base + '/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', authorization },
      body: JSON.stringify({ query: request.text, variables }),
    });
    // With it, a query with @defer is complete too.
    return { ...(await response.json()), extensions: { is_final: true } };
  }),
  store: new Store(new RecordSource()),
});

const lists = graphql`
  query main_ListsQuery($first: Int, $after: String) {
    items(first: $first, after: $after) @connection(key: "main_items") {
      edges {
        node { id name history(first: 2) @connection(key: "main_history") { edges { node { kind } } } }
      }
    }
    hooks(first: $first) @connection(key: "main_hooks") {
      edges {
        node { id url deliveries(first: 2) @connection(key: "main_hook_deliveries") { edges { node { id state } } } }
      }
    }
    deliveries(first: $first) @connection(key: "main_deliveries") { edges { node { id state } } }
    users(first: $first) @connection(key: "main_users") { edges { node { id email } } }
    roles(first: $first) @connection(key: "main_roles") { edges { node { id name } } }
    audit(first: $first) @connection(key: "main_audit") { edges { node { id action } } }
    workflowProfiles(first: $first) @connection(key: "main_workflowProfiles") { edges { node { id name } } }
  }
`;

const create = graphql`
  mutation main_CreateMutation($input: CreateItemInput!) {
    createItem(input: $input) { item { id name clientData } }
  }
`;

const again = graphql`
  query main_ItemQuery($id: ID!) {
    node(id: $id) { __typename ... on Item { name revision clientData createdAt } }
  }
`;

const created = await new Promise<main_CreateMutation['response']>((resolve, reject) => {
  commitMutation<main_CreateMutation>(environment, {
    mutation: create,
    variables: { input: { name: 'From Relay', clientData: { z: 1, a: 2 } } },
    onCompleted: (response, errors) => (errors?.length ? reject(new Error(errors[0]?.message)) : resolve(response)),
    onError: reject,
  });
});
const { id } = created.createItem.item;

const page = await fetchQuery<main_ListsQuery>(environment, lists, { first: 10 }).toPromise();
const item = await fetchQuery<main_ItemQuery>(environment, again, { id }).toPromise();
console.log(JSON.stringify({
  id,
  listed: page?.items.edges.map((edge) => edge.node.name),
  roles: page?.roles.edges.length,
  again: item?.node,
}));
