// Fetches the contract and the schema from the server, and makes types of the contract. `gql.tada generate-output`
// makes those of the schema. It uses the page's token as the page does, so it names the page's origin.
import { mkdir, writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';
import { end, origin, server, token } from './settings.mjs';

if (!server || !token) end('Set VITE_ITEMCAST_URL and VITE_ITEMCAST_TOKEN, in the environment or in .env.local');
if (!/^https?:/.test(server) || !URL.canParse(server)) {
  end(`VITE_ITEMCAST_URL=${server} is not a URL such as http://127.0.0.1:8080`);
}

// get returns the text at a path. right says whether it is the text that Itemcast has there.
async function get(path, right) {
  const headers = { authorization: `Bearer ${token}`, origin };
  const response = await fetch(server + path, { headers }).catch(({ cause }) =>
    end(`${server} cannot be reached (${cause?.code ?? cause}). Start Itemcast there, or correct VITE_ITEMCAST_URL.`));
  const text = await response.text().catch(() => '');
  if (response.ok && right(text)) return text;
  const { detail, code, errors: [error] = [] } = json(text); // of REST, or of GraphQL
  if ((code ?? error?.extensions?.code) === 'ORIGIN_NOT_ALLOWED') {
    end(`VITE_ITEMCAST_TOKEN is not for pages of ${origin}. Add this origin to the token, or set VITE_PAGE_ORIGIN.`);
  }
  const said = detail ?? error?.message;
  if (said && response.status !== 404) end(`${server} answers ${response.status} to VITE_ITEMCAST_TOKEN: ${said}`);
  end(`${server}${path} answers ${response.status}, not as Itemcast does. Correct VITE_ITEMCAST_URL.`);
}

function json(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

const contract = await get('/api/v1/openapi.json', (text) => 'openapi' in Object(json(text)));
const schema = await get('/graphql/schema.graphql', (text) => text.includes('type Subscription'));
await mkdir('src/generated', { recursive: true });
await writeFile('src/generated/contract.d.ts', astToString(await openapi(contract)));
await writeFile('src/generated/schema.graphql', schema);
