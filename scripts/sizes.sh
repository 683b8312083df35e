#!/usr/bin/env bash
# Size budgets: the binary under 30 MB and static.
set -euo pipefail
cd "$(dirname "$0")/.."
size=$(stat -c %s bin/teapot)
echo "bin/teapot: $size bytes (budget 30000000)"
[ "$size" -lt 30000000 ]
! ldd bin/teapot >/dev/null 2>&1 || { echo "bin/teapot is not static"; exit 1; }
