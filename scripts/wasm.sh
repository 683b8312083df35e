#!/usr/bin/env bash
# The pure rooms must build for the browser.
set -euo pipefail
cd "$(dirname "$0")/.."
for room in appraisal dcap eventlog evidence tlog bundle verify; do
  [ -d "$room" ] || continue
  echo "wasm: $room"
  GOOS=js GOARCH=wasm go build "./$room"
done
# The verifier gives the same verdicts there: its corpus tests run compiled for GOOS=js under node.
echo "wasm: dcap's verdicts under node"
GOOS=js GOARCH=wasm go test -exec="$(go env GOROOT)/lib/wasm/go_js_wasm_exec" ./dcap -run 'Real|Synthetic|Simulated'
