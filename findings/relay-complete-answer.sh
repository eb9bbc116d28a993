#!/usr/bin/env bash
# relay-runtime 21.0.1: a complete answer to a query with @defer leaves the deferred fragment without data.
#
# A server may ignore @defer and answer with every field at once. Guess before the first run: Relay takes the fields
# from that answer. In fact it waits for a second answer; the data is there only with "extensions": {"is_final": true}.
#
# Output on 2026-11-27, Node.js 20:
#   plain answer: {} missing: true
#   with is_final: {"name":"b"} missing: false
set -euo pipefail
cd "$(mktemp -d)"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit relay-runtime@21.0.1
cat >run.cjs <<'JS'
const R = require('relay-runtime');
const field = (name) => ({ alias: null, args: null, kind: 'ScalarField', name, storageKey: null });
const spread = { args: null, kind: 'FragmentSpread', name: 'F' };
const thing = (selections) => ({ alias: null, args: null, concreteType: 'Thing', kind: 'LinkedField', name: 'thing',
  plural: false, selections, storageKey: null });
const F = { argumentDefinitions: [], kind: 'Fragment', metadata: null, name: 'F', selections: [field('name')],
  type: 'Thing', abstractKey: null };
const Q = {
  kind: 'Request',
  fragment: { argumentDefinitions: [], kind: 'Fragment', metadata: null, name: 'Q', type: 'Query', abstractKey: null,
    selections: [thing([field('id'), { kind: 'Defer', selections: [spread] }])] },
  operation: { argumentDefinitions: [], kind: 'Operation', name: 'Q', selections: [
    thing([field('id'), { if: null, kind: 'Defer', label: 'l', selections: [field('name')] }])] },
  params: { cacheID: 'q', id: null, metadata: {}, name: 'Q', operationKind: 'query', text: '{ thing { id ...F @defer } }' },
};
console.error = () => {};
async function run(extensions) {
  const network = R.Network.create(async () => ({ data: { thing: { id: 'a', name: 'b' } }, extensions }));
  const environment = new R.Environment({ network, store: new R.Store(new R.RecordSource()) });
  const operation = R.createOperationDescriptor(Q, {});
  await R.fetchQuery(environment, Q, {}).toPromise();
  const ref = environment.lookup(operation.fragment).data.thing;
  const got = environment.lookup(R.getSingularSelector(F, ref));
  return `${JSON.stringify(got.data)} missing: ${got.isMissingData}`;
}
(async () => {
  console.log('plain answer:', await run());
  console.log('with is_final:', await run({ is_final: true }));
})();
JS
node run.cjs | tee out
diff out - <<'WANT'
plain answer: {} missing: true
with is_final: {"name":"b"} missing: false
WANT
