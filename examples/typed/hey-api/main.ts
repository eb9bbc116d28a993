// A client that hey-api generates: it creates, changes, finds and exports an item.
//
//     curl -u $U $I/api/v1/openapi.json -o examples/typed/openapi.json
//     cd examples/typed && npm ci && npm --prefix generators ci && npm --prefix generators run hey-api
//     node dist/hey-api/main.js $I $U
import { client } from './api/client.gen.js';
import { createItem, exportItems, getItem, listItems, patchItem, replaceItem } from './api/sdk.gen.js';
import type { Item } from './api/types.gen.js';

const [base = '', credentials = ''] = process.argv.slice(2);
client.setConfig({
  baseUrl: base + '/api/v1',
  throwOnError: true,
  auth: ({ scheme }) => (scheme === 'basic' ? credentials : undefined), // not for the cookie of browsers too
});

const throwOnError = true;
const { data: created } = await createItem({ body: { name: 'From hey-api' }, throwOnError });
const path = { id: created.id };
await patchItem({
  path,
  body: {
    language: 'de',
    duration: 8953.123457,
    tags: ['Action, Adventure', 'silent'],
    metadata: { distributor: 'MGM' },
    assets: [{
      kind: 'source',
      url: 'https://example.com/a.mp4',
      content_type: 'video/mp4',
      size: Number.MAX_SAFE_INTEGER,
    }],
  },
  throwOnError,
});
const { data: patched } = await patchItem({ path, body: { language: null, type: null }, throwOnError });
const { data: read } = await getItem({ path, throwOnError });
const { data: replaced } = await replaceItem({ path, body: { ...read, producer: 'Ufa' }, throwOnError });

const tags = ['Action, Adventure', 'none'];
const { data: tagged } = await listItems({ query: { tags, limit: 10 }, throwOnError });
const { data: distributed } = await listItems({ query: { metadata: { distributor: 'MGM' } }, throwOnError });

const { data: file } = await exportItems({ query: { tags }, throwOnError });
const lines = (await file.text()).trimEnd().split('\n');
const exported = lines.map((line): Item => JSON.parse(line));

const size: number | null | undefined = replaced.assets[0]?.size;
const duration: number | null = patched.duration;
console.log(JSON.stringify({
  id: created.id,
  revision: replaced.revision,
  language: patched.language,
  size,
  duration,
  tagged: tagged.results.map((item) => item.name),
  distributed: distributed.results.map((item) => item.name),
  exported: exported.map((item) => item.name),
}));
