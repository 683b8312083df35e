#!/usr/bin/env bash
# Run the Go tests of one module with -race (RACE= turns it off) and keep its counts for scripts/count.sh.
# Tests may touch loopback only; ../shared is read where it lies.
set -euo pipefail
module=$1
top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$top/artefacts/counts"
name=${module//[\/.]/_}
cd "$top/$module"
status=0
CGO_ENABLED=1 TEAPOT_SHARED="$top/../shared" go test ${RACE--race} -timeout 15m -json ./... >"$top/artefacts/counts/$name.json" || status=$?
go run -C "$top" ./internal/testcount <"$top/artefacts/counts/$name.json" "$top/artefacts/counts/$name.txt"
exit $status
