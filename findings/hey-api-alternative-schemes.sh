#!/usr/bin/env bash
# @hey-api/openapi-ts 0.99.0: a text given as `auth` is sent by every alternative of `security`, not by one of them.
#
# In OpenAPI the elements of `security` are alternatives. Guess before the first run: the client uses the first that it
# has a value for. In fact it sends the same value by each: a password for Basic goes into a cookie too. A function
# that looks at the scheme helps.
#
# Output on 2026-11-27, Node.js 20:
#   a text: [["authorization","Basic dTpw"],["cookie","session=u:p"]]
#   a function: [["authorization","Basic dTpw"]]
set -euo pipefail
cd "$(mktemp -d)"
npm init -y >/dev/null
npm pkg set type=module
npm install --silent --no-fund --no-audit @hey-api/openapi-ts@0.99.0 typescript@5.9.3
cat >openapi.json <<'JSON'
{ "openapi": "3.1.0", "info": { "title": "T", "version": "1" },
  "security": [{ "basic": [] }, { "browser": [] }],
  "paths": { "/things": { "get": { "operationId": "listThings", "responses": { "200": { "description": "ok" } } } } },
  "components": { "securitySchemes": {
    "basic": { "type": "http", "scheme": "basic" },
    "browser": { "type": "apiKey", "in": "cookie", "name": "session" } } } }
JSON
echo '{ "compilerOptions": { "target": "es2022", "module": "nodenext", "outDir": "dist" } }' >tsconfig.json
npx openapi-ts --silent --no-log-file -i openapi.json -o api
npx tsc
cat >run.mjs <<'JS'
import { client } from './dist/client.gen.js';
import { listThings } from './dist/sdk.gen.js';
const told = (name) => async (request) => {
  console.log(`${name}: ${JSON.stringify([...request.headers])}`);
  return new Response();
};
client.setConfig({ baseUrl: 'http://localhost', auth: 'u:p', fetch: told('a text') });
await listThings();
client.setConfig({ auth: ({ scheme }) => (scheme === 'basic' ? 'u:p' : undefined), fetch: told('a function') });
await listThings();
JS
node run.mjs | tee out
diff out - <<'WANT'
a text: [["authorization","Basic dTpw"],["cookie","session=u:p"]]
a function: [["authorization","Basic dTpw"]]
WANT
