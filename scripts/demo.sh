#!/usr/bin/env bash
# The whole story by itself: run, talk, verify, then the hostile host. Needs only the binary that `make build` made.
set -euo pipefail
cd "$(dirname "$0")/.."
exec go run ./internal/demo "$PWD/bin/teapot"
