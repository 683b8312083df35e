#!/usr/bin/env bash
# Install the published clients that scripts/compat.sh runs: 15 MB, no install scripts, heavy dependencies replaced by compat/stubs.
set -euo pipefail
cd "$(dirname "$0")/../compat"
npm ci --ignore-scripts --legacy-peer-deps --omit=optional --omit=peer --no-audit --no-fund --silent
