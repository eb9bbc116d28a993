#!/usr/bin/env bash
# @urql/core 6.0.3: objects in variables are sent with their members sorted by name.
#
# The order of a JSON value is lost before it leaves the client, also in a scalar that the server keeps as it is.
# Guess before the first run: urql sends what JSON.stringify writes. In fact it writes its key for the cache.
#
# Output on 2026-11-27, Node.js 20:
#   {"value":{"a":{"c":2,"d":1},"z":1}}
set -euo pipefail
cd "$(mktemp -d)"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit @urql/core@6.0.3 graphql@16.15.0
cat >run.mjs <<'JS'
import { Client, fetchExchange } from '@urql/core';
const client = new Client({
  url: 'http://localhost/', exchanges: [fetchExchange], preferGetMethod: false,
  fetch: async (_url, { body }) => {
    console.log(body.slice(body.indexOf('"variables":') + '"variables":'.length, -1));
    return new Response('{"data":{"set":true}}', { headers: { 'content-type': 'application/json' } });
  },
});
await client.mutation('mutation Set($value: JSON) { set(value: $value) }', { value: { z: 1, a: { d: 1, c: 2 } } });
JS
node run.mjs | tee out
diff out - <<'WANT'
{"value":{"a":{"c":2,"d":1},"z":1}}
WANT
