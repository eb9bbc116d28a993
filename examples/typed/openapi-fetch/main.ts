// openapi-fetch, with the types that openapi-typescript generates: it creates, changes, finds, exports and follows an
// item.
//
//     curl -u $U $I/api/v1/openapi.json -o examples/typed/openapi.json
//     cd examples/typed && npm ci && npm run openapi-fetch
//     node dist/openapi-fetch/main.js $I $U
import createClient from 'openapi-fetch';
import type { components, paths } from './api.d.ts';

type Item = components['schemas']['Item'];
type Change = components['schemas']['Change'];

const [base = '', credentials = ''] = process.argv.slice(2);
const authorization = 'Basic ' + Buffer.from(credentials).toString('base64');
const client = createClient<paths>({ baseUrl: base + '/api/v1', headers: { authorization } });

// must returns the data of an answer, and throws its problem.
function must<T>({ data, error }: { data?: T; error?: components['schemas']['Problem'] }): T {
  if (data === undefined) throw new Error(error?.detail ?? 'no data');
  return data;
}

// chunks yields the parts of a stream that a separator ends.
async function* chunks(stream: ReadableStream<Uint8Array> | null, separator: string): AsyncGenerator<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of stream ?? []) {
    const parts = (text + decoder.decode(bytes, { stream: true })).split(separator);
    text = parts.pop() ?? '';
    yield* parts;
  }
}

// The cursor from which to follow: that of a list.
const list = await client.GET('/items', { params: { query: { limit: 1 } } });
const after = list.response.headers.get('itemcast-change-cursor') ?? '';

const created = must(await client.POST('/items', { body: { name: 'From openapi-fetch' } }));
const path = { id: created.id };
const asset = { kind: 'source', url: 'https://example.com/a.mp4', content_type: 'video/mp4' } as const;
await client.PATCH('/items/{id}', {
  params: { path },
  body: {
    language: 'de',
    duration: 8953.123457,
    tags: ['Action, Adventure', 'silent'],
    metadata: { distributor: 'MGM' },
    assets: [{ ...asset, size: Number.MAX_SAFE_INTEGER }],
  },
}).then(must);
const patched = must(await client.PATCH('/items/{id}', { params: { path }, body: { language: null, type: null } }));

// What GET returned can be sent back.
const read = must(await client.GET('/items/{id}', { params: { path } }));
const replaced = must(await client.PUT('/items/{id}', { params: { path }, body: { ...read, producer: 'Ufa' } }));

const tags = ['Action, Adventure', 'none'];
const tagged = must(await client.GET('/items', { params: { query: { tags, limit: 10 } } }));
const metadata = { distributor: 'MGM' };
const distributed = must(await client.GET('/items', { params: { query: { metadata } } }));

// By default openapi-fetch parses every answer as JSON.
const exported: Item[] = [];
const lines = must(await client.GET('/items/export', { params: { query: { tags } }, parseAs: 'stream' }));
for await (const line of chunks(lines, '\n')) exported.push(JSON.parse(line));
const text = must(await client.GET('/items/export', { params: { query: { metadata } }, parseAs: 'text' }));

const stream = must(await client.GET('/changes', {
  params: { query: { after, id: [created.id], kinds: ['UPDATED'] } },
  headers: { accept: 'text/event-stream' },
  parseAs: 'stream',
}));
let followed: Change | undefined;
for await (const event of chunks(stream, '\n\n')) {
  const data = /^data: ?(.*)$/m.exec(event)?.[1];
  if (data === undefined || /^event: /m.test(event)) continue; // a comment, a checkpoint or an error
  followed = JSON.parse(data);
  break;
}

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
  text: text.trimEnd().split('\n').length,
  followed: followed?.revision,
}));
