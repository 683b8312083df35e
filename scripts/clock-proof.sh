#!/usr/bin/env bash
# Jumps of the wall clock, for real: boots the static binary in a virtual machine of its own (QEMU, no KVM needed), whose clock may be set
# forward and back while it serves and over kill -9, and has the log verified there. Installs Debian's qemu-system-x86 and unpacks a
# kernel; neither the clock nor the kernel of this machine is touched. Where QEMU cannot be had it says SKIPPED.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '[%4ds] %s\n' "$SECONDS" "$*"; }
skip() { say "SKIPPED: $1. What is left: the same jumps through the packages' clock seams (go test -run 'Clock|Time' ./actionlog ./boot)"; exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
need=()
command -v qemu-system-x86_64 >/dev/null || need+=(qemu-system-x86)
command -v cpio >/dev/null || need+=(cpio)
if [ ${#need[@]} -gt 0 ]; then
  say "installing ${need[*]}"
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${need[@]}"; } >/dev/null 2>&1 || skip "QEMU could not be installed"
fi
image=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends: linux-image/ {print $2; exit}')
(cd "$work" && apt-get download -q "$image" >/dev/null 2>&1 && dpkg -x linux-image-*.deb kernel) || skip "no kernel package could be downloaded"

[ -x bin/teapot ] || make -s build
mkdir -p "$work/root/data"
cp bin/teapot "$work/root/teapot"
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$work/root/init" ./internal/clockvm
(cd "$work/root" && find . | cpio -o -H newc --quiet) >"$work/initrd"
say "booting"
timeout 240 qemu-system-x86_64 -M microvm -accel tcg -m 1024 -nodefaults -no-user-config -no-reboot -nographic -serial stdio \
  -kernel "$work"/kernel/boot/vmlinuz-* -initrd "$work/initrd" -append "console=ttyS0 panic=-1 clockvm.own" >"$work/console" 2>&1 </dev/null || true
grep -a '^clockvm:\|^CLOCK PROOF' "$work/console" || true
grep -aq '^CLOCK PROOF OK' "$work/console" || { tail -40 "$work/console"; say "FAILED"; exit 1; }
say "PROVEN: clock jumps lose nothing acknowledged"
