// Fetches the contract and the schema from the server, and makes types of the contract. `gql.tada generate-output`
// makes those of the schema. It uses the page's token as the page does, so it names the page's origin.
import { mkdir, writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';
import { loadEnv } from 'vite';

const { VITE_ITEMCAST_URL: server, VITE_ITEMCAST_TOKEN: token } = loadEnv('development', '.');
if (!server || !token) {
  console.error('Set VITE_ITEMCAST_URL and VITE_ITEMCAST_TOKEN, in the environment or in .env.local');
  process.exit(1);
}

async function get(path) {
  const headers = { authorization: `Bearer ${token}`, origin: 'http://localhost:5173' };
  const response = await fetch(server + path, { headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.text();
}

await mkdir('src/generated', { recursive: true });
await writeFile('src/generated/contract.d.ts', astToString(await openapi(await get('/api/v1/openapi.json'))));
await writeFile('src/generated/schema.graphql', await get('/graphql/schema.graphql'));
