#!/usr/bin/env bash
# oapi-codegen 2.8.2: components that only webhooks refer to are pruned, but code for the webhooks is written.
#
# Guess before the first run: the pruning of unused components knows the webhooks of OpenAPI 3.1. In fact a parameter
# that only a webhook uses loses its type, and the code does not compile. `skip-prune: true` helps.
#
# Output on 2026-11-27, Go 1.26:
#   client.gen.go: undefined: Attempt
#   with skip-prune: compiles
set -euo pipefail
cd "$(mktemp -d)"
cat >openapi.yaml <<'YAML'
openapi: 3.1.0
info: { title: T, version: "1" }
paths:
  /things: { get: { operationId: listThings, responses: { "204": { description: ok } } } }
webhooks:
  thing:
    post:
      operationId: onThing
      parameters: [{ $ref: "#/components/parameters/Attempt" }]
      responses: { "204": { description: ok } }
components:
  parameters:
    Attempt: { name: attempt, in: header, required: true, schema: { type: integer } }
YAML
go mod init example >/dev/null 2>&1
go get -tool github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 >/dev/null 2>&1
generate() { # generate OUTPUT_OPTIONS
  cat >config.yaml <<YAML
package: example
output: client.gen.go
generate: { models: true, client: true }
output-options: $1
YAML
  go tool oapi-codegen -config config.yaml openapi.yaml
  go get github.com/oapi-codegen/runtime@v1.9.0 >/dev/null 2>&1
  go mod tidy >/dev/null 2>&1
}
{
  generate '{}'
  { go build . 2>&1 || true; } | sed -nE 's#^\./(client.gen.go):[0-9:]+ (undefined: .*)#\1: \2#p' | sort -u
  generate '{ skip-prune: true }'
  go build . && echo 'with skip-prune: compiles'
} | tee out
diff out - <<'WANT'
client.gen.go: undefined: Attempt
with skip-prune: compiles
WANT
