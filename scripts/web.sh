#!/usr/bin/env bash
# Build the pages:
#   scripts/web.sh pages        scripts, styles and HTML → web/dist (committed)
#   scripts/web.sh pages-check  fail when web/dist is not what web/src builds
#   scripts/web.sh verifier     the WASM and its loader → web/dist/web (not committed; make build runs this)
# Needs only Go: esbuild is pinned in tools/go.mod.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/web/dist

pages() {
  local to=$1 src=$PWD/web/src
  mkdir -p "$to/web"
  (cd tools && go build -o ../.tools/esbuild github.com/evanw/esbuild/cmd/esbuild)
  local flags=(--bundle --minify --target=es2022 --charset=utf8 --legal-comments=none --log-level=warning)
  .tools/esbuild "$src"/{agent,explorer,chat,dashboard,teapot-trust}.ts "${flags[@]}" --format=esm --outdir="$to/web"
  .tools/esbuild "$src/worker.ts" "${flags[@]}" --format=iife --outdir="$to/web"
  .tools/esbuild "$src/app.css" --minify --charset=utf8 --log-level=warning --outdir="$to/web"
  cp web/pages/*.html "$to/"
  cp web/pages/*.svg "$to/web/"
}

# Inlined calls make the compressed verifier an eighth larger; only arithmetic needs them. math/bits and internal/byteorder must be
# compiled with inlining too, or their one-line functions are calls inside crypto/...: 10,000 signatures then take 8.6 s, not 3.3.
inline=('-gcflags=all=-l' '-gcflags=crypto/...=' '-gcflags=math/big=' '-gcflags=math/bits=' '-gcflags=internal/byteorder=')

verifier() {
  local wasm=$PWD/.tools/verifier.wasm
  [ -d cmd/teapot-wasm ] || { echo "no cmd/teapot-wasm yet: pages without verifier" >&2; return; }
  mkdir -p .tools
  GOOS=js GOARCH=wasm CGO_ENABLED=0 go build -trimpath -buildvcs=false "${inline[@]}" -ldflags '-s -w -buildid=' -o "$wasm" ./cmd/teapot-wasm
  cmp -s "$(go env GOROOT)/lib/wasm/wasm_exec.js" "$out/web/wasm_exec.js" || cp "$(go env GOROOT)/lib/wasm/wasm_exec.js" "$out/web/wasm_exec.js"
  go run ./web/internal/pack "$wasm" "$out/web/verifier.wasm.br"
}

case ${1:-} in
pages) pages "$out" ;;
pages-check)
  fresh=$(mktemp -d)
  trap 'rm -rf "$fresh"' EXIT
  pages "$fresh"
  diff -r "$fresh" "$out" --exclude='verifier.wasm.br' --exclude='wasm_exec.js' || { echo "web/dist is not what web/src builds: run 'make pages' and commit"; exit 1; } ;;
verifier) verifier ;;
*) echo "usage: scripts/web.sh pages|pages-check|verifier" >&2; exit 64 ;;
esac
