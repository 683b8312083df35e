#!/usr/bin/env bash
# Size budgets: the binary under 30 MB and static, the page's verifier under 1.5 MB as brotli, each page under 100 kB without it.
set -euo pipefail
cd "$(dirname "$0")/.."
budget() { # name bytes limit
  echo "$1: $2 bytes (budget $3)"
  [ "$2" -lt "$3" ]
}
budget bin/teapot "$(stat -c %s bin/teapot)" 30000000
! ldd bin/teapot >/dev/null 2>&1 || { echo "bin/teapot is not static"; exit 1; }
budget "verifier (brotli)" "$(stat -c %s web/dist/web/verifier.wasm.br)" 1500000
for page in index:agent explorer:explorer chat:chat dashboard:dashboard; do
  html=web/dist/${page%%:*}.html script=web/dist/web/${page##*:}.js
  budget "page ${page%%:*}" "$(cat "$html" "$script" web/dist/web/{app.css,teapot.svg,worker.js} | wc -c)" 100000
done
