// gql.tada with urql: a mutation, and a list whose types follow from the operation's text.
//
//     curl -u $U $I/graphql/schema.graphql -o examples/typed/schema.graphql
//     cd examples/typed && npm ci && npm run tada
//     node dist/tada/main.js $I $U
import { Client, fetchExchange } from '@urql/core';
import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './graphql-env.d.ts';

const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { Cursor: string; DateTime: string; JSON: unknown };
}>();

const [base = '', credentials = ''] = process.argv.slice(2);
const authorization = 'Basic ' + Buffer.from(credentials).toString('base64');
const client = new Client({
  url: base + '/graphql',
  exchanges: [fetchExchange],
  fetchOptions: { headers: { authorization } },
  preferGetMethod: false,
});

const create = graphql(`
  mutation Create($input: CreateItemInput!) { createItem(input: $input) { item { id name } } }
`);
const items = graphql(`
  query Items($first: Int) { items(first: $first) { changeCursor nodes { id name createdAt clientData } } }
`);

const created = await client.mutation(create, { input: { name: 'From gql.tada', clientData: { z: 1, a: 2 } } });
const list = await client.query(items, { first: null });
if (created.error || list.error) throw created.error ?? list.error;
const cursor: string | undefined = list.data?.items.changeCursor;
console.log(JSON.stringify({
  id: created.data?.createItem.item.id,
  listed: list.data?.items.nodes.map((node) => node.name),
  cursor,
}));
