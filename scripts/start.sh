#!/usr/bin/env bash
# make start: as in "Eliza in a TEE". SGX=1 runs in an enclave or stops with a clear text; otherwise under gramine-direct if it is
# installed, else plainly; which one is said. The arguments go into the measured manifest.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
state=${TEAPOT_SGX_DIR:-$top/teapot-sgx}
log() { echo "make start: $*" >&2; }
truthy() { case ${1:-} in 1 | true | yes | on) return 0 ;; esac; return 1; }

if truthy "${SGX:-}"; then # before anything else: what is missing decides
  lacks=()
  [ -e /dev/sgx_enclave ] || lacks+=("SGX hardware: /dev/sgx_enclave is not there (enable SGX in the BIOS, Linux 5.11 or newer)")
  command -v gramine-sgx >/dev/null || lacks+=("Gramine 1.9: gramine-sgx is not installed (Debian has no package: Gramine's own repository, docs/deploy/sgx.md)")
  for l in "${lacks[@]}"; do log "SGX=1 needs $l"; done
  [ ${#lacks[@]} -eq 0 ] || { log "nothing was started; run without SGX=1 to try it out (then it is no TEE)"; exit 2; }
fi

args=("$@")
[ ${#args[@]} -gt 0 ] || args=()
files=()
find_file() { # Eliza's search: as given, then agent/, then characters/ by base name
  local p
  for p in "$1" "agent/$1" "characters/$(basename "$1")"; do
    if [ -f "$p" ]; then realpath "$p"; return 0; fi
  done
  log "no such file: $1 (looked at $1, agent/$1, characters/$(basename "$1"))"
  return 64
}
for ((i = 0; i < ${#args[@]}; i++)); do # characters become trusted files under their absolute path
  case ${args[i]} in
    --character | --characters | --config | --recovery-key) path=$(find_file "${args[i + 1]:-}") || exit; args[i + 1]=$path; files+=(--file "$path") ;;
    --character=* | --characters=* | --config=* | --recovery-key=*) path=$(find_file "${args[i]#*=}") || exit; args[i]=${args[i]%%=*}=$path; files+=(--file "$path") ;;
  esac
done

pass=() # the agent's secrets: the manifest names them, their values come from the host and are listed as unmeasured
for name in ${PASS_ENV:-}; do pass+=(--pass-env "$name"); done

render() {
  mkdir -p "$state/data" "$state/envelope"
  cp bin/teapot "$state/teapot"
  "$state/teapot" deploy gramine render --binary "$state/teapot" --manifest "$state/manifest.toml" --data "$state/data" \
    --envelope "$state/envelope" "${files[@]}" "${pass[@]}" -- run --addr 127.0.0.1:3000 "${args[@]}"
  "$state/teapot" deploy gramine check "$state/manifest.toml" >&2
}

sign() {
  cd "$state"
  [ -f key.pem ] || openssl genrsa -3 -out key.pem 3072 2>/dev/null
  gramine-manifest manifest.toml teapot.manifest
  gramine-sgx-sign --manifest teapot.manifest --output teapot.manifest.sgx --key key.pem --date 0000-00-00
  gramine-sgx-sigstruct-view --output-format=json teapot.sig | sed -n 's/.*"mr_enclave": *"\([0-9a-f]*\)".*/expected MRENCLAVE \1/p' >&2
}

if truthy "${SGX:-}"; then
  render
  (sign)
  log "running in an SGX enclave"
  cd "$state" && exec gramine-sgx teapot
fi
if command -v gramine-direct >/dev/null; then
  render
  (cd "$state" && gramine-manifest manifest.toml teapot.manifest)
  log "NO TEE: running under gramine-direct, the enclave's program without an enclave"
  cd "$state" && exec gramine-direct teapot
fi
log "NO TEE: neither SGX=1 nor Gramine here; running plainly, in the simulator"
exec bin/teapot run "${args[@]}"
