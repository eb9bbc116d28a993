#!/usr/bin/env bash
# github.com/vektah/gqlparser/v2 v2.5.64: a block string that begins on the line of its quotes keeps its indentation.
#
# BlockStringValue (GraphQL specification, October 2021, §2.9.4) finds the common indentation without the first line.
# Guess before the first run: both give "a\nb". In fact gqlparser counts the first line too, which has none.
#
# Output on 2026-11-27, Go 1.26, Node.js 20:
#   gqlparser "a\n  b"
#   graphql-js "a\nb"
set -euo pipefail
cd "$(mktemp -d)"
cat >go.mod <<'MOD'
module block
go 1.25
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

func main() {
	document, err := parser.ParseQuery(&ast.Source{Input: "{ f(s: \"\"\"a\n  b\"\"\") }"})
	if err != nil {
		panic(err)
	}
	field := document.Operations[0].SelectionSet[0].(*ast.Field)
	fmt.Printf("gqlparser %q\n", field.Arguments[0].Value.Raw)
}
GO
export GOFLAGS=-mod=mod
go get github.com/vektah/gqlparser/v2@v2.5.64 2>/dev/null
go run . | tee out
npm init -y >/dev/null
npm install --silent --no-fund --no-audit graphql@16.15.0
node -e '
const { parse } = require("graphql");
const field = parse("{ f(s: \"\"\"a\n  b\"\"\") }").definitions[0].selectionSet.selections[0];
console.log("graphql-js", JSON.stringify(field.arguments[0].value.value));
' | tee -a out
diff out - <<'WANT'
gqlparser "a\n  b"
graphql-js "a\nb"
WANT
