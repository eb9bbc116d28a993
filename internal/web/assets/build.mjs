// Bundles the scripts and styles of the web pages, with their npm packages, into ../dist, where Go embeds them.
//
// Each file has a hash of its content in its name, so that browsers may cache it forever, and is stored as gzip, which
// nearly every browser accepts. manifest.json lists the files that each page loads. A page is one entry in `pages`: a
// script, which imports its style, or a style.

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { notices } from './notices.mjs';

const here = import.meta.dirname;
const dist = join(here, '..', 'dist');

const pages = {
  playground: 'src/playground/playground.jsx',
  home: 'src/home/home.css',
  form: 'src/form/form.css',
  browse: 'src/browse/browse.js',
  app: 'src/app/app.js',
  player: 'src/player/player.js',
};
const icon = 'src/icon.svg';

// Monaco analyses text in web workers, and hls.js reads segments in one. Each is a separate script.
const workers = {
  'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
  'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
  'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
  'hls.worker': 'hls.js/dist/hls.worker.js',
};

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  metafile: true,
  write: false,
  legalComments: 'none', // the notices file has every licence
  target: ['es2022'],
  outdir: dist,
  entryNames: '[name]-[hash]',
  chunkNames: 'chunk-[hash]',
  assetNames: '[name]-[hash]',
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'warning',
};

const workerBuild = await build({ ...common, entryPoints: workers, format: 'iife' });
const pageBuild = await build({
  ...common,
  entryPoints: { ...pages, icon },
  format: 'esm',
  splitting: true,
  jsx: 'automatic',
  // GraphiQL imports these by their old names, which are CommonJS: in a separate chunk they would lose exports.
  alias: { 'prettier/parser-graphql': 'prettier/plugins/graphql', 'prettier/parser-babel': 'prettier/plugins/babel' },
  loader: { '.ttf': 'file', '.graphql': 'text', '.svg': 'copy' },
  define: { ...common.define, WORKER_FILES: JSON.stringify(workerFiles()) },
});

const notice = await notices(here, [workerBuild, pageBuild]);
const manifest = describe();
const files = [...workerBuild.outputFiles, ...pageBuild.outputFiles, { path: notice.name, contents: notice.body }]
  .map(({ path, contents }) => ({ name: basename(path), contents }))
  .filter(({ name }) => !isUnused(name));

await emptyDist();
for (const { name, contents } of files) {
  const packed = gzipSync(contents, { level: 9 });
  await writeFile(join(dist, `${name}.gz`), packed);
  console.log(`${kilobytes(contents)} ${kilobytes(packed)} gzip  ${name}`);
}
await writeFile(join(dist, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);

/** Returns the file made from an entry point's source, with esbuild's metadata. */
function outputOf(result, source) {
  const found = Object.entries(result.metafile.outputs).find(([, output]) =>
    (output.entryPoint ?? Object.keys(output.inputs)[0])?.endsWith(source));
  if (!found) throw new Error(`esbuild made no output from ${source}`);
  return { file: basename(found[0]), ...found[1] };
}

function workerFiles() {
  return Object.fromEntries(Object.entries(workers).map(([name, source]) =>
    [name.replace('.worker', ''), outputOf(workerBuild, source).file]));
}

function describe() {
  const page = (source) => {
    const { file, cssBundle, imports } = outputOf(pageBuild, source);
    if (file.endsWith('.css')) return { styles: [file] };
    return {
      script: file,
      styles: cssBundle ? [basename(cssBundle)] : [],
      preload: imports.filter((i) => i.kind === 'import-statement').map((i) => basename(i.path)),
    };
  };
  return {
    icon: outputOf(pageBuild, icon).file,
    notices: notice.name,
    pages: Object.fromEntries(Object.entries(pages).map(([name, source]) => [name, page(source)])),
  };
}

/** esbuild also writes the styles of each dynamic import. Nothing loads them: the page's own style has them. */
function isUnused(name) {
  return name.endsWith('.css') && !Object.values(manifest.pages).some((page) => page.styles.includes(name));
}

/** Removes all files but .gitkeep: with it, Go compiles in a tree without built assets. */
async function emptyDist() {
  await mkdir(dist, { recursive: true });
  for (const name of await readdir(dist)) {
    if (name !== '.gitkeep') await rm(join(dist, name), { recursive: true });
  }
}

function kilobytes(contents) {
  return `${Math.ceil(contents.length / 1024)} kB`.padStart(8);
}
