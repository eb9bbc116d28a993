#!/usr/bin/env bash
# github.com/alecthomas/kong v1.17.0: with DefaultEnvars and a VersionFlag, the variable APP_VERSION, whatever its value,
# makes every command print the version and exit with 0. Even APP_VERSION=false does.
#
# DefaultEnvars "inits environment names for flags" (its comment), and Docker images, charts and CI often set
# APP_VERSION to a number. A bool flag that is false should do nothing, and "1.2.3" is no bool. Guess before the first
# run, after a look at applyHookToDefaultFlags: false prints the version too. It does, and so does "1.2.3": the hook runs
# before the value is parsed.
#
# Output on 2026-11-27, Go 1.26:
#   unset: deployed, exit 0
#   APP_VERSION=false: the version, exit 0
#   APP_VERSION=1.2.3: the version, exit 0
set -euo pipefail
cd "$(mktemp -d)"
cat >go.mod <<'MOD'
module version
go 1.25
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/alecthomas/kong"
)

func main() {
	var app struct {
		Version kong.VersionFlag
		Deploy  struct{} `cmd:""`
	}
	kong.Parse(&app, kong.Name("app"), kong.DefaultEnvars("APP"), kong.Vars{"version": "the version"})
	fmt.Println("deployed")
}
GO
export GOFLAGS=-mod=mod
go get github.com/alecthomas/kong@v1.17.0 2>/dev/null
go build -o app .
say() { local out code=0; out=$("${@:2}") || code=$?; echo "$1: $out, exit $code"; }
{
  say unset ./app deploy
  say APP_VERSION=false env APP_VERSION=false ./app deploy
  say APP_VERSION=1.2.3 env APP_VERSION=1.2.3 ./app deploy
} 2>&1 | tee out
diff out - <<'WANT'
unset: deployed, exit 0
APP_VERSION=false: the version, exit 0
APP_VERSION=1.2.3: the version, exit 0
WANT
