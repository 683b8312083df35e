#!/usr/bin/env bash
# Build the OCI image: static binaries for two platforms, one index, an SBOM. Needs Go only; prints the index digest.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 GOTOOLCHAIN=local
version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo unknown)}
./scripts/web.sh verifier >&2 # the pages carry their verifier
mkdir -p dist
for arch in amd64 arm64; do
  GOOS=linux GOARCH=$arch go build -trimpath -ldflags "-s -w -buildid= -X main.version=$version" -o "dist/teapot-linux-$arch" ./cmd/teapot
done
(cd tools && go build -o ../.tools/image ./image)
.tools/image -amd64 dist/teapot-linux-amd64 -arm64 dist/teapot-linux-arm64 -out dist/oci -tar dist/teapot-amd64.tar -sbom dist/teapot.spdx.json
