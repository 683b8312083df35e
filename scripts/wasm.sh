#!/usr/bin/env bash
# The pure rooms must build for the browser.
set -euo pipefail
cd "$(dirname "$0")/.."
for room in appraisal dcap eventlog evidence tlog bundle verify; do
  [ -d "$room" ] || continue
  echo "wasm: $room"
  GOOS=js GOARCH=wasm go build "./$room"
done
