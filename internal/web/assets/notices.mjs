// Collects the licences of all packages in the bundles, which must be distributed with them.

import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Returns the name and the body of the notices file. */
export async function notices(root, builds) {
  const inputs = builds.flatMap((b) => Object.keys(b.metafile.inputs));
  const packages = new Set(inputs.map(packageOf).filter(Boolean));
  const texts = await Promise.all([...packages].sort().map((path) => notice(join(root, path))));
  const body = Buffer.from(`The Itemcast pages contain these packages.\n\n${texts.join('\n')}`);
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 8).toUpperCase();
  return { name: `notices-${hash}.txt`, body };
}

/** Returns node_modules/@scope/name for an input; for nested packages, the innermost one. */
function packageOf(input) {
  return input.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//)?.[1];
}

async function notice(path) {
  const { name, version, license } = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'));
  const file = (await readdir(path)).find((f) => /^(licen[sc]e|copying)/i.test(f));
  const text = file ? await readFile(join(path, file), 'utf8') : '';
  return `${'-'.repeat(78)}\n${name} ${version} (${license})\n\n${text.trim()}\n`;
}
