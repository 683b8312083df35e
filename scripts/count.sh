#!/usr/bin/env bash
# Last line of the test run: N passed, N failed, N skipped over all parts.
set -euo pipefail
cd "$(dirname "$0")/.."
cat artefacts/counts/*.txt | awk '{p+=$1; f+=$3; s+=$5} END {printf "%d passed, %d failed, %d skipped\n", p, f, s}'
