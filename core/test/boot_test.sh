#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# boot_test.sh KERNEL PROGRAMS MACHINE SCENARIO SECONDS [OPTION...]: boot the kernel in QEMU, print
# what it says, and judge by its exit status, its `fail` lines and its leak count. HK_TEST_CPU names
# QEMU's CPU model; the default one has neither SMEP nor SMAP.
set -u
kernel=$1 programs=$2 machine=$3 scenario=$4 seconds=$5
shift 5
qemu=$(command -v qemu-system-x86_64) || { echo "skipped: qemu-system-x86_64 is not installed (Debian: qemu-system-x86)"; exit 77; }
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
# timeout is the watchdog: a guest that hangs is killed, and the test fails
timeout --kill-after=2 "$seconds" "$qemu" -M "$machine" -cpu "${HK_TEST_CPU:-qemu64}" -m 64M -nodefaults -no-user-config \
  -display none -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 \
  -debugcon "file:$log" -serial null -icount shift=0,sleep=off \
  -kernel "$kernel" -initrd "$programs" -append "scenario=$scenario $*"
status=$?
cat "$log"
if [ "$status" -ne 33 ]; then # 2 * HK_EXIT_PASS + 1
  echo "QEMU ended with status $status, not 33"; exit 1
fi
grep -q '^HK1 fail' "$log" && exit 1
grep -q '^HK1 done leaks=0$' "$log"
