#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")/.."

# a missed target fails the whole at the end, not the tables that follow
missed=0
trap '[ $? -ne 0 ] || exit $missed' EXIT

# dcap: quote verification against the P-256 floor and go-tdx-guest
(cd difftest && go run ./dcapbench) || missed=1
echo
echo "dcap under node (GOOS=js), real quote and collateral:"
GOOS=js GOARCH=wasm go test -exec="$(go env GOROOT)/lib/wasm/go_js_wasm_exec" ./dcap -run '^$' -bench 'Floor|Verify' -benchtime 1s |
  awk '/^Benchmark/ { printf "  %-40s %8.2f ms %8.0f per s\n", $1, $3 / 1e6, 1e9 / $3 }'
echo
echo "simulator and keys, one core, in process (wanted: 2,000 quotes and 5,000 keys per second):"
go test -cpu 1 -run '^$' -bench . -benchtime 1s ./attest/sim ./keys/dstackkey | awk '/^Benchmark/ { printf "  %-40s %10.0f per s\n", $1, 1e9 / $3 }'

echo
echo "action log: appends, queries, proofs, audit, restart, many logs"
go run ./actionlog/logbench

echo
echo "verify: a log of 1 M entries from a file (wanted: under 25 s on two cores; 10,000 new entries under 1 s)"
TEAPOT_HEAVY=${TEAPOT_HEAVY:-1000000} go test -v -count 1 -timeout 30m -run TestLargeLog ./verify | awk '/processor time/ { sub(/^ *heavy_test.go:[0-9]*: /, "  "); print }'
