// Compiles the programs of relay/ with Relay's plugin for Babel, which tsc cannot run.
import { transformFileAsync } from '@babel/core';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

for (const name of await readdir('relay', { recursive: true })) {
  if (!name.endsWith('.ts')) continue;
  const { code } = await transformFileAsync(join('relay', name));
  const out = join('dist/relay', name.replace(/\.ts$/, '.js'));
  await mkdir(dirname(out), { recursive: true });
  // The plugin imports the artifacts by names without the extension that Node.js needs.
  await writeFile(out, code.replace(/(__generated__\/\w+\.graphql)(["'])/g, '$1.js$2'));
}
