// A client that orval generates, with fetch: it creates, changes, finds and exports an item.
//
//     curl -u $U $I/api/v1/openapi.json -o examples/typed/openapi.json
//     cd examples/typed && npm ci && npm --prefix generators ci && npm --prefix generators run orval
//     node dist/orval/main.js $I $U
import { createItem, exportItems, getItem, listItems, patchItem, replaceItem } from './api.js';
import type { Item } from './api.js';

const credentials = process.argv[3] ?? '';
const options = { headers: { authorization: 'Basic ' + Buffer.from(credentials).toString('base64') } };

const created = await createItem({ name: 'From orval' }, options);
if (created.status !== 201) throw created.data;
const { id } = created.data;
await patchItem(id, {
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
}, options);
const patched = await patchItem(id, { language: null, type: null }, options);
if (patched.status !== 200) throw patched.data;
const read = await getItem(id, options);
if (read.status !== 200) throw read.data;
const replaced = await replaceItem(id, { ...read.data, producer: 'Ufa' }, options);
if (replaced.status !== 200) throw replaced.data;

const tags = ['Action, Adventure', 'none'];
const tagged = await listItems({ tags, limit: 10 }, options);
const distributed = await listItems({ metadata: { distributor: 'MGM' } }, options);
if (tagged.status !== 200 || distributed.status !== 200) throw tagged.data;

const answer = await exportItems({ tags }, options);
if (answer.status !== 200) throw answer.data;
const lines = (await answer.stream.text()).trimEnd().split('\n');
const exported = lines.map((line): Item => JSON.parse(line));

const size: number | null | undefined = replaced.data.assets[0]?.size;
const duration: number | null = patched.data.duration;
console.log(JSON.stringify({
  id,
  revision: replaced.data.revision,
  language: patched.data.language,
  size,
  duration,
  tagged: tagged.data.results.map((item) => item.name),
  distributed: distributed.data.results.map((item) => item.name),
  exported: exported.map((item) => item.name),
}));
