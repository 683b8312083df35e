#!/usr/bin/env bash
# Install what the tests need beyond Go: gcc (for -race), Chromium, npm packages. Idempotent; may use the registries and root.
set -euo pipefail
cd "$(dirname "$0")/.."
need=()
command -v gcc >/dev/null || need+=(gcc libc6-dev)
command -v git >/dev/null || need+=(git)
command -v npm >/dev/null || need+=(nodejs npm)
command -v chromium >/dev/null || need+=(chromium)
[ -d /usr/share/fonts/opentype/noto ] || need+=(fonts-noto-cjk) # the pages speak Chinese; screenshots should too
[ -d /usr/share/fonts/opentype/inter ] || [ -d /usr/share/fonts/truetype/inter ] || need+=(fonts-inter)
if [ ${#need[@]} -gt 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q && apt-get install -y -q --no-install-recommends "${need[@]}"
fi
go mod download
(cd tools && go mod download)
[ ! -f difftest/go.mod ] || (cd difftest && go mod download)
rm -rf artefacts/counts
# the published EHBP client, judge of ratls (its tests are skipped without node)
if command -v npm >/dev/null && [ ! -d .tools/npm/node_modules/ehbp ]; then
  mkdir -p .tools/npm && npm install --silent --no-audit --no-fund --prefix .tools/npm ehbp@0.1.7
fi
# published clients of tappd and dstack (make compat)
./scripts/compat-install.sh
# the pages' type checker and axe-core, by lock file
cmp -s web/package-lock.json web/node_modules/.teapot-lock || {
  npm ci --silent --no-audit --no-fund --prefix web && cp web/package-lock.json web/node_modules/.teapot-lock
}
