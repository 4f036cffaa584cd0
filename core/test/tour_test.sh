#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tour_test.sh HOSTED_BOOT KERNEL EXPECTED: the tour logs what it should, hosted and booted, line
# for line.
set -u
hosted_boot=$1 kernel=$2 expected=$3
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
"$hosted_boot" scenario=tour >"$tmp/hosted" || { cat "$tmp/hosted"; echo "the hosted tour failed"; exit 1; }
diff "$expected" "$tmp/hosted" || { echo "the hosted tour's log is not the expected one"; exit 1; }
qemu=$(command -v qemu-system-x86_64) || { echo "skipped: the hosted half passed; qemu-system-x86_64 is not installed (Debian: qemu-system-x86)"; exit 77; }
for machine in microvm,acpi=off q35; do
  timeout --kill-after=2 20 "$qemu" -M "$machine" -m 64M -nodefaults -no-user-config \
    -display none -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 \
    -debugcon "file:$tmp/booted" -icount shift=0,sleep=off -kernel "$kernel" \
    -append "scenario=tour"
  status=$?
  diff "$tmp/hosted" "$tmp/booted" || { echo "the booted tour's log differs on $machine"; exit 1; }
  [ "$status" -eq 33 ] || { echo "QEMU ended with status $status, not 33, on $machine"; exit 1; }
done
cat "$tmp/hosted"
