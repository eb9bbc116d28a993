#!/usr/bin/env bash
# oapi-codegen 2.8.2: an answer of application/x-ndjson is parsed as the JSON of `default`, whatever its status.
#
# Guess before the first run: a 200 of a media type that the client has no parser for stays in Body. In fact the media
# type needs only contain "json": a file of one line fills the problem of `default`, and one of two lines is an error.
# The method without WithResponse returns the lines.
#
# Output on 2026-11-27, Go 1.26:
#   one line: status 200, problem "a"
#   two lines: invalid character '{' after top-level value
set -euo pipefail
cd "$(mktemp -d)"
cat >openapi.yaml <<'YAML'
openapi: 3.0.3
info: { title: T, version: "1" }
paths:
  /things:
    get:
      operationId: exportThings
      responses:
        "200": { description: lines, content: { application/x-ndjson: { schema: { type: string, format: binary } } } }
        default:
          description: a problem
          content: { application/problem+json: { schema: { type: object, properties: { title: { type: string } } } } }
YAML
cat >config.yaml <<'YAML'
package: main
output: client.gen.go
generate: { models: true, client: true }
YAML
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
)

func main() {
	for _, c := range [][2]string{{"one line", `{"title":"a"}`}, {"two lines", "{\"title\":\"a\"}\n{\"title\":\"b\"}\n"}} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-ndjson")
			fmt.Fprint(w, c[1])
		}))
		client, _ := NewClientWithResponses(server.URL)
		got, err := client.ExportThingsWithResponse(context.Background())
		if err != nil {
			fmt.Printf("%s: %v\n", c[0], err)
			continue
		}
		fmt.Printf("%s: status %d, problem %q\n", c[0], got.StatusCode(), *got.ApplicationproblemJSONDefault.Title)
	}
}
GO
go mod init example >/dev/null 2>&1
go get -tool github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 >/dev/null 2>&1
go tool oapi-codegen -config config.yaml openapi.yaml
go get github.com/oapi-codegen/runtime@v1.9.0 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run . | tee out
diff out - <<'WANT'
one line: status 200, problem "a"
two lines: invalid character '{' after top-level value
WANT
