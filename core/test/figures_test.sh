#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# figures_test.sh KERNEL PROGRAMS FIGURES: the exact experiments on both machine types give the same
# rows, and none costs more than FIGURES allows.
set -u
kernel=$1 programs=$2 figures=$3
qemu=$(command -v qemu-system-x86_64) || { echo "skipped: qemu-system-x86_64 is not installed (Debian: qemu-system-x86)"; exit 77; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
for machine in microvm,acpi=off q35; do
  timeout --kill-after=2 60 "$qemu" -M "$machine" -m 64M -nodefaults -no-user-config \
    -display none -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 \
    -debugcon "file:$tmp/log" -serial null -icount shift=0,sleep=off \
    -kernel "$kernel" -initrd "$programs" -append "scenario=experiments"
  status=$?
  [ "$status" -eq 33 ] || { cat "$tmp/log"; echo "QEMU ended with status $status on $machine"; exit 1; }
  # (C(2N) - C(N)) / N of every row
  awk '$2 == "row" { for (i = 4; i <= 6; i++) { split($i, f, "="); v[f[1]] = f[2] }
         print $3, (v["ticks_2n"] - v["ticks_n"]) / v["ops"] }' "$tmp/log" >"$tmp/${machine%%,*}"
done
diff "$tmp/microvm" "$tmp/q35" || { echo "the machine types differ"; exit 1; }
awk 'NR == FNR { cost[$1] = $2; next }
     /^#/ { next }
     !($1 in cost) { print "no row " $1; bad = 1; next }
     { print $1, cost[$1], "limit", $2 }
     cost[$1] > $2 { print "too many instructions: " $1; bad = 1 }
     END { exit bad }' "$tmp/microvm" "$figures"
