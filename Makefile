# The commands for people and CI. `make help` lists them.
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

TOOLS   := $(CURDIR)/.tools/bin
BIN     := bin/itemcast
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

WEB         := internal/web/assets
WEB_LOCK    := $(addprefix $(WEB)/,package.json package-lock.json .npmrc)
WEB_SOURCES := $(wildcard $(WEB)/*.mjs) $(shell find $(WEB)/src -type f)
WEB_BUILT   := internal/web/dist/manifest.json

LINT := tools/lint

.PHONY: help run build test race verify generate lint bench soak web tools clean

help: ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# Hooks may reach this machine, so that you can try a receiver beside the server. They may reach no other private
# network.
run: build ## Build and start everything on http://127.0.0.1:8080, with an embedded Postgres.
	ITEMCAST_HOOK_ALLOW_NETWORKS="$${ITEMCAST_HOOK_ALLOW_NETWORKS-127.0.0.0/8,::1/128}" exec $(BIN) serve

build: $(WEB_BUILT) ## Build the binary, assets bundled in: bin/itemcast.
	CGO_ENABLED=0 go build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/itemcast

test: $(WEB_BUILT) clients ## Run all tests, against real Postgres; installs or names what is missing.
	scripts/setup-test
	go test -timeout 40m $(if $(CI),$(shell go list ./... | grep -E '$(WHOLE)'),./...)
	$(if $(CI),go test -race -timeout 40m $(shell go list ./... | grep -vE '$(WHOLE)'))

# The race detector makes a test three times as slow. In CI, make test uses it for the packages in which goroutines share
# data, and not for those whose tests start whole nodes. make race uses it for all.
WHOLE := /(cmd|docs|examples|graph|internal/(bench|browse|node|rest|server|web))(/|$$)

race: $(WEB_BUILT) clients ## Run all tests under the race detector (25 minutes).
	scripts/setup-test
	go test -race -timeout 60m ./...

.PHONY: clients
clients: $(addsuffix /node_modules/.package-lock.json,examples examples/typed examples/frontend) ## Install the npm packages of the examples, which the tests run.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json %/.npmrc
	cd $* && npm ci --no-progress --loglevel=error
	@touch $@

generate: $(TOOLS)/.stamp-generators ## Generate code from the contract, the GraphQL schema and the SQL.
	$(TOOLS)/sqlc generate
	$(TOOLS)/oapi-codegen -config openapi/item.cfg.yaml openapi/item.yaml
	$(TOOLS)/oapi-codegen -config openapi/core.cfg.yaml openapi/core.yaml
	$(TOOLS)/openapi openapi/bundled openapi/core.yaml
	$(TOOLS)/gqlgen

# gqlgen.yml turns off gqlgen's own tidying of go.mod (skip_mod_tidy).
verify: ## Regenerate, and fail on any difference from what is committed.
	scripts/verify

lint: $(TOOLS)/.stamp-linters $(WEB_BUILT) $(LINT)/node_modules/.package-lock.json ## Check formatting, imports, the contracts, and known mistakes and vulnerabilities.
	$(TOOLS)/golangci-lint run ./...
	$(LINT)/node_modules/.bin/eslint --config $(LINT)/eslint.config.mjs graph/schema examples internal/web/assets/src/playground/operations
	$(LINT)/node_modules/.bin/redocly lint --config $(LINT)/redocly.yaml openapi/bundled/core.json openapi/bundled/core.yaml
	$(LINT)/node_modules/.bin/spectral lint --ruleset $(LINT)/spectral.yaml --fail-severity=warn openapi/bundled/core.json
	scripts/vulnerabilities $(TOOLS)/govulncheck

# BESIDE=path/to/itemcast compares with another build. LONG=1 adds the rows that take minutes. ARGS go to the program:
# make bench ARGS='--only=get,patch --rounds=3'.
bench: build ## Measure against hand-written baselines and, with BESIDE=, another build (15 minutes).
	scripts/setup-bench
	go run ./internal/bench/cmd/bench $(if $(BESIDE),--beside=$(BESIDE)) $(if $(LONG),--long) $(ARGS)

# SHORT=1 runs the short forms, as `make test` does. ITEMCAST_SOAK makes tests repeat their faults more often.
soak: build clients examples/typed/generators/node_modules/.package-lock.json ## Test endurance: stalling subscribers, uploads, killed nodes and databases, a million stale documents (30 minutes).
	go run ./internal/bench/cmd/bench soak $(if $(SHORT),--short) $(ARGS)
	$(if $(SHORT),,ITEMCAST_SOAK=1) go test -count=1 -timeout 40m -run 'Kill|Outage|Typed|Upgrade|Cut|Broken|Hostile|Survives' \
		./internal/change ./internal/node ./internal/workflow ./internal/media/... ./internal/rest/...

web: $(WEB_BUILT) ## Bundle the web pages' assets from npm.

$(WEB)/node_modules/.package-lock.json: $(WEB_LOCK)
	cd $(WEB) && npm ci --no-progress --loglevel=error
	@touch $@

$(WEB_BUILT): $(WEB)/node_modules/.package-lock.json $(WEB_SOURCES)
	cd $(WEB) && node build.mjs

# The tools are pinned in tools/go.mod, so that the product's go.mod does not have their dependencies. Without cgo, sqlc
# is built in half a minute less: its parser of Postgres is then no C code.
tools: $(TOOLS)/.stamp-generators $(TOOLS)/.stamp-linters ## Build the pinned tools.

$(TOOLS)/.stamp-generators: tools/go.mod tools/go.sum $(wildcard tools/gqlgen/*.go tools/openapi/*.go)
	cd tools && CGO_ENABLED=0 GOBIN=$(TOOLS) go install ./gqlgen ./openapi github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen github.com/sqlc-dev/sqlc/cmd/sqlc
	@touch $@

$(TOOLS)/.stamp-linters: tools/go.mod tools/go.sum
	cd tools && GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint golang.org/x/vuln/cmd/govulncheck
	@touch $@

clean: ## Remove built files and installed packages, but not the data directory.
	rm -rf bin .tools $(WEB)/node_modules examples/node_modules examples/typed/node_modules examples/typed/generators/node_modules examples/frontend/node_modules $(LINT)/node_modules
	find internal/web/dist -type f ! -name .gitkeep -delete
