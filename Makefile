# Teapot. `make help` lists the goals.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
export GOTOOLCHAIN := local
export CGO_ENABLED ?= 0

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -buildid= -X main.version=$(VERSION)
TOOLS := $(CURDIR)/.tools
LINT := $(TOOLS)/golangci-lint

.PHONY: help run build pages verifier image demo test deps vet lint unit nested wasm-check systems browser compat compat-ci sizes proofs suites bench fmt clean

help: ## list the goals
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

build: verifier ## build bin/teapot (static)
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/teapot ./cmd/teapot

verifier: ## the page's verifier: WASM, compressed, embedded by build
	./scripts/web.sh verifier

pages: ## rebuild web/dist from web/src (committed)
	./scripts/web.sh pages

run: build ## start the built-in agent in a simulated TEE on 127.0.0.1:3000
	./bin/teapot run

start: build ## as in "Eliza in a TEE": SGX=1 make start -- --character "character/x.json"
	@./scripts/start.sh $(filter-out start,$(MAKECMDGOALS)) $(filter --%,$(MAKEOVERRIDES))

# Arguments behind `make start --` look like goals; they are none.
ifneq (,$(filter start,$(MAKECMDGOALS)))
%:
	@:
endif

demo: build ## run, verify, then play the hostile host
	./scripts/demo.sh

deps: ## install what the tests need (registries, root)
	./scripts/deps.sh

vet: ## go vet
	go vet ./...

lint: $(LINT) ## golangci-lint, pinned in tools/go.mod
	$(LINT) run ./...

$(LINT): tools/go.mod
	mkdir -p $(TOOLS) && cd tools && go build -o $(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

unit: ## tests with -race
	./scripts/gotest.sh .

nested: ## tests of the nested modules
	./scripts/gotest.sh difftest
	cd tools && go vet ./...
	RACE= ./scripts/gotest.sh tools # no goroutines, and compressing is ten times slower with -race

wasm-check: ## the pure rooms build for WASM
	./scripts/wasm.sh

systems: ## the binary builds for macOS and Windows, where strangers verify
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 go build -o $(TOOLS)/teapot.darwin ./cmd/teapot
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go build -o $(TOOLS)/teapot.windows ./cmd/teapot

browser: ## headless Chromium drives the real binary
	./scripts/browser.sh

compat: build ## every published client against teapot simulate; writes docs/compat.md
	./scripts/compat.sh

compat-ci: build ## the same without writing the table (6 seconds: CI runs the whole matrix)
	./scripts/compat.sh --check

sizes: build ## size budgets
	./scripts/sizes.sh

test: deps build vet lint unit nested wasm-check systems browser compat-ci sizes ## everything, as CI does
	@./scripts/count.sh

image: ## reproducible OCI image (amd64, arm64) in dist/, digest on stdout
	./scripts/image.sh

proofs: ## for real: the containers (private dockerd) and jumps of the wall clock (QEMU); installs both
	./scripts/compose-proof.sh --twice
	./scripts/clock-proof.sh

suites: ## the action log's random suites in full: 1,000 kills, every failing call, many power failures (about half an hour)
	TEAPOT_SUITES=40 go test -timeout 2h -run 'KillNine|PowerFailures|EveryFailingCall|BitFlips' -v ./actionlog/
	go test -timeout 1h -run Model -rapid.checks=2000 ./actionlog/

bench: ## speed tables, ratios in one run
	./scripts/bench.sh

fmt: $(LINT) ## format
	$(LINT) fmt ./...

clean: ## remove what was built
	rm -rf bin dist artefacts
