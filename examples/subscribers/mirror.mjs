// Maintains a copy of all items in a file: lists them once, then follows the changes by long poll. It needs no
// packages. When it is started again, it continues from the cursor in the file.
//
//     node examples/subscribers/mirror.mjs http://127.0.0.1:8080 EMAIL:PASSWORD items.json
import { readFile, rename, writeFile } from 'node:fs/promises';

const [base, credentials, file] = process.argv.slice(2);
const authorization = 'Basic ' + Buffer.from(credentials).toString('base64');
const print = (line) => console.log(JSON.stringify(line));

class Problem extends Error {}

// get retries after temporary failures: the server restarts, or answers 429 or 5xx.
async function get(url) {
  for (;;) {
    let wait = 1;
    try {
      const response = await fetch(url, { headers: { authorization, accept: 'application/json' } });
      const body = await response.json();
      if (response.ok) return { body, headers: response.headers };
      if (response.status < 500 && response.status !== 429) {
        throw Object.assign(new Problem(body.detail), { code: body.code });
      }
      wait = Number(response.headers.get('retry-after') ?? 1);
    } catch (error) {
      if (error instanceof Problem) throw error; // any other: no connection, or one that broke
    }
    await new Promise((resolve) => setTimeout(resolve, 1000 * wait));
  }
}

// save writes the items and the cursor together: after a crash, neither is ahead of the other.
async function save(copy) {
  await writeFile(file + '.new', JSON.stringify(copy));
  await rename(file + '.new', file);
}

async function list() {
  const copy = { cursor: null, items: {} };
  for (let url = `${base}/api/v1/items?limit=200`; url; ) {
    const { body, headers } = await get(url);
    copy.cursor ??= headers.get('itemcast-change-cursor'); // of the first page
    for (const item of body.results) copy.items[item.id] = item;
    url = body.next;
  }
  await save(copy);
  print({ listed: Object.keys(copy.items).length });
  return copy;
}

function apply(items, { kind, revision, document }) {
  if (kind === 'DELETED' || kind === 'LEFT') {
    delete items[document.id];
  } else if (kind !== 'TRIGGERED' && revision > (items[document.id]?.revision ?? 0)) {
    items[document.id] = document; // some changes were in the list already
  }
}

let copy = await readFile(file, 'utf8').then(JSON.parse, () => null);
copy ??= await list();
for (;;) {
  try {
    const { body } = await get(`${base}/api/v1/changes?limit=200&wait=30&after=${copy.cursor}`);
    for (const change of body.results) apply(copy.items, change);
    copy.cursor = body.cursor;
    await save(copy);
    for (const { kind, revision, document } of body.results) print({ kind, id: document.id, revision });
  } catch (error) {
    if (error.code !== 'CURSOR_EXPIRED') throw error;
    copy = await list(); // the log no longer retains what follows the cursor
  }
}
