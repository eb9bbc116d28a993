// Maintains a copy of all items in a file: lists them once, then follows the changes by long poll. It needs no
// packages. When it is started again, it continues from the cursor in the file.
//
//     node examples/subscribers/mirror.mjs http://127.0.0.1:8080 EMAIL:PASSWORD items.json
import { readFile, rename, writeFile } from 'node:fs/promises';
import { basic, connection, end, pause, reason, refusal, serverURL } from '../command-line.mjs';

const usage = 'mirror.mjs URL EMAIL:PASSWORD FILE';
const [url, credentials, file] = process.argv.slice(2);
const base = serverURL(url, usage);
const authorization = basic(credentials, usage);
if (!file) end(`usage: ${usage}`);
const print = (line) => console.log(JSON.stringify(line));

class Expired extends Error {}

// get retries until the server answers: it may restart, or be busy for a while (429, 5xx).
async function get(address) {
  for (let attempts = 0; ; attempts++) {
    const response = await fetch(address, { headers: { authorization, accept: 'application/json' } }).catch((error) => {
      if (!connection.made) end(`${base} cannot be reached: ${reason(error)}`);
    });
    const body = await response?.json().catch(() => null); // null: cut off, or not of Itemcast
    if (response?.ok && body) {
      connection.open();
      return { body, headers: response.headers };
    }
    if (body?.code === 'CURSOR_EXPIRED') throw new Expired();
    const refused = response && refusal(response.status, base);
    if (refused) end(body?.detail ? `${refused} (${body.detail})` : refused);
    connection.lost();
    await pause(attempts);
  }
}
// save writes the items and the cursor together: after a crash, neither is ahead of the other.
async function save(copy) {
  try {
    await writeFile(file + '.new', JSON.stringify(copy));
    await rename(file + '.new', file);
  } catch (error) {
    end(`${file} cannot be written: ${reason(error)}`);
  }
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

async function read() {
  const text = await readFile(file, 'utf8').catch((error) => {
    if (error.code !== 'ENOENT') end(`${file} cannot be read: ${reason(error)}`);
  });
  try {
    return text && JSON.parse(text);
  } catch {
    end(`${file} is not a copy that this program made: name another file`);
  }
}

let copy = (await read()) ?? (await list());
for (;;) {
  try {
    const { body } = await get(`${base}/api/v1/changes?limit=200&wait=30&after=${copy.cursor}`);
    for (const change of body.results) apply(copy.items, change);
    copy.cursor = body.cursor;
    await save(copy);
    for (const { kind, revision, document } of body.results) print({ kind, id: document.id, revision });
  } catch (error) {
    if (!(error instanceof Expired)) throw error;
    copy = await list(); // the log no longer retains what follows the cursor
  }
}
