#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kernel_baseline.sh HKBENCH BASELINE: the kernel's fast paths cost what the baseline says, to the
# instruction. A change that is meant is accepted with one command (CONTRIBUTING.md).
set -u
hkbench=$1 baseline=$2
command -v qemu-system-x86_64 >/dev/null ||
  { echo "skipped: qemu-system-x86_64 is not installed (Debian: qemu-system-x86)"; exit 77; }
. "$(dirname "$0")/expect.sh"
"$hkbench" compare "$baseline" --guest --floor 0 >"$tmp/out.txt" 2>"$tmp/err.txt"
status=$?
grep -v '^SAME ' "$tmp/out.txt"
cat "$tmp/err.txt"
if [ $status = 4 ] && grep -q "difference may be the tool's" "$tmp/out.txt"; then
  echo "skipped: the baseline was counted with another QEMU or compiler"
  exit 77
fi
[ $status = 0 ] ||
  { echo "a change that is meant is accepted with: ./run compare results/baseline --guest --accept"; exit 1; }
