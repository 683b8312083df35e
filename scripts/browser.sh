#!/usr/bin/env bash
# The pages: types, the committed build, and headless Chromium driving bin/teapot. Screenshots go to artefacts/web.
set -euo pipefail
cd "$(dirname "$0")/.."
web/node_modules/.bin/tsc -p web/tsconfig.json
./scripts/web.sh pages-check
[ -x bin/teapot ] || make build
mkdir -p artefacts/counts
status=0
TEAPOT_SHARED="${TEAPOT_SHARED:-$PWD/../shared}" go test -tags browser -timeout 10m -json ./web/browsertest >artefacts/counts/browser.json || status=$?
go run ./internal/testcount <artefacts/counts/browser.json artefacts/counts/browser.txt
exit $status
