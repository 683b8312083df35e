#!/usr/bin/env bash
# Install the published clients that scripts/compat.sh runs, unless they are there as the lock file wants them: 15 MB, no install
# scripts, heavy dependencies replaced by compat/stubs.
set -euo pipefail
cd "$(dirname "$0")/../compat"
cmp -s package-lock.json node_modules/.teapot-lock && exit 0
npm ci --ignore-scripts --legacy-peer-deps --omit=optional --omit=peer --no-audit --no-fund --silent
cp package-lock.json node_modules/.teapot-lock
