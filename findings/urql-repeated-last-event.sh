#!/usr/bin/env bash
# @urql/core 6.0.3: when a subscription ends, its last event is delivered once more, and an error stays on what follows.
#
# Guess before the first run: a result for each event, and an error only with its own. In fact an error stays on every
# later result that has none of its own, and the end of the stream is a further result with the data and the error of
# the one before it. Only `hasNext: false` tells it from an event.
#
# Output on 2026-11-27, Node.js 20:
#   {"data":{"n":1},"hasNext":true}
#   {"data":{"n":1},"error":"[GraphQL] no","hasNext":true}
#   {"data":{"n":3},"error":"[GraphQL] no","hasNext":true}
#   {"data":{"n":3},"error":"[GraphQL] no","hasNext":false}
set -euo pipefail
cd "$(mktemp -d)"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit @urql/core@6.0.3 graphql@16.15.0
cat >run.mjs <<'JS'
import { Client, fetchExchange } from '@urql/core';
const events = [{ data: { n: 1 } }, { data: null, errors: [{ message: 'no' }] }, { data: { n: 3 } }];
const text = events.map((event) => `event: next\ndata: ${JSON.stringify(event)}\n\n`).join('') + 'event: complete\n\n';
const client = new Client({
  url: 'http://localhost/', exchanges: [fetchExchange], fetchSubscriptions: true, preferGetMethod: false,
  fetch: async () => new Response(text, { headers: { 'content-type': 'text/event-stream' } }),
});
client.subscription('subscription { n }', {}).subscribe(({ data, error, hasNext }) =>
  console.log(JSON.stringify({ data, error: error?.message, hasNext })));
JS
node run.mjs | tee out
diff out - <<'WANT'
{"data":{"n":1},"hasNext":true}
{"data":{"n":1},"error":"[GraphQL] no","hasNext":true}
{"data":{"n":3},"error":"[GraphQL] no","hasNext":true}
{"data":{"n":3},"error":"[GraphQL] no","hasNext":false}
WANT
