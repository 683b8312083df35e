#!/usr/bin/env bash
# Run published clients of tappd and dstack against teapot simulate, over TCP and over a unix socket.
#   scripts/compat.sh                 the whole matrix; writes the table into docs/compat.md
#   scripts/compat.sh --check         the whole matrix, no table; what CI does
#   scripts/compat.sh CLIENT...       only these (names as in compat/package.json), no table
# Installs first (npm ci, pinned by compat/package-lock.json) unless that was done.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v node >/dev/null || { echo "compat: node is not installed (make deps)"; exit 1; }
./scripts/compat-install.sh
[ -x bin/teapot ] || go build -o bin/teapot ./cmd/teapot

work=$(mktemp -d)
export TEAPOT=$PWD/bin/teapot XDG_CACHE_HOME=$work/cache # the verifier finds the simulator's collateral there
"$TEAPOT" simulate --addr 127.0.0.1:0 --socket "$work/dstack.sock" --sgx "$work/default" --data "$work/data" >"$work/listening" 2>"$work/log" &
server=$!
"$TEAPOT" simulate --addr "" --sgx "$work/pipes" --sgx-pipes --data "$work/sgxdata" >"$work/playing" 2>>"$work/log" &
pipes=$!
trap 'kill $server $pipes 2>/dev/null; wait $server $pipes 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do [ "$(cat "$work/listening" "$work/playing" | wc -l)" -ge 4 ] && break; sleep 0.1; done
mapfile -t endpoints < <(sed -n 's/^listening //p' "$work/listening")
[ ${#endpoints[@]} -eq 2 ] || { cat "$work/log"; echo "compat: the simulator did not start"; exit 1; }

table=yes
[ $# -eq 0 ] || table=no
[ "${1:-}" != --check ] || shift
clients=("$@")
if [ ${#clients[@]} -eq 0 ]; then
  mapfile -t clients < <(node -p 'Object.keys(require("./compat/package.json").dependencies).filter((n) => /^(sdk|tee|sgx)-/.test(n)).join("\n")' | sort -V)
fi
for client in "${clients[@]}"; do
  where=("${endpoints[@]}")
  [[ $client != sgx-* ]] || where=("$work/default" "$work/pipes")
  for endpoint in "${where[@]}"; do
    # a client that dies without a line is a failure, too
    (cd compat && env -u DSTACK_SIMULATOR_ENDPOINT -u TAPPD_SIMULATOR_ENDPOINT timeout 120 node client.mjs "$client" "$endpoint") \
      2>"$work/stderr" >>"$work/results" || true
    grep -q "	$client	" "$work/results" || { sed 's/^/    /' "$work/stderr"; printf 'FAIL\t%s\t%s\tstart\n' "$client" "$endpoint" >>"$work/results"; }
  done
done
grep '^FAIL' "$work/results" || true
passed=$(grep -c '^ok' "$work/results" || true)
failed=$(grep -c '^FAIL' "$work/results" || true)
mkdir -p artefacts/counts
echo "$passed passed, $failed failed, 0 skipped" | tee artefacts/counts/compat.txt
[ $table = no ] || node compat/table.mjs "$work/results" docs/compat.md
[ "$failed" -eq 0 ]
