#!/usr/bin/env bash
# orval 8.38.0: for a request body that is a file or JSON, the fetch client does not compile.
#
# Guess before the first run: it writes JSON.stringify for the JSON and passes the file on. In fact it passes both to
# fetch as they are, which tsc refuses, in whichever order they stand. Excluding one of the media types helps.
#
# Output on 2026-11-27, Node.js 20:
#   error TS2322: Type 'string[] | Blob' is not assignable
#   with application/json excluded: compiles
set -euo pipefail
cd "$(mktemp -d)"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit orval@8.38.0 typescript@5.9.3
cat >openapi.json <<'JSON'
{ "openapi": "3.1.0", "info": { "title": "T", "version": "1" },
  "paths": { "/things": { "post": { "operationId": "importThings", "requestBody": { "required": true, "content": {
      "text/csv": { "schema": { "type": "string", "format": "binary" } },
      "application/json": { "schema": { "type": "array", "items": { "type": "string" } } } } },
    "responses": { "204": { "description": "ok" } } } } } }
JSON
config() { # config CONTENT_TYPE
  cat >orval.config.mjs <<JS
export default { t: { input: './openapi.json', output: { target: 'api.ts', client: 'fetch',
  override: { operations: { importThings: { contentType: $1 } } } } } };
JS
  npx orval --config orval.config.mjs >/dev/null
}
compile() { npx tsc --noEmit --strict --target es2022 --module nodenext --lib es2022,dom,dom.iterable api.ts; }
{
  config '{}'
  { compile || true; } | grep -oF "error TS2322: Type 'string[] | Blob' is not assignable"
  config '{ exclude: ["application/json"] }'
  compile && echo 'with application/json excluded: compiles'
} | tee out
diff out - <<'WANT'
error TS2322: Type 'string[] | Blob' is not assignable
with application/json excluded: compiles
WANT
