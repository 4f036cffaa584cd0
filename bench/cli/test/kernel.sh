#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hkbench kernel and run --guest: what it prints, how it ends, and that nothing stays behind.
#
# kernel.sh HKBENCH record|brief
#   record  cells of run --guest are recorded
#   brief   they are not: cli_guest_verdicts records all of them
set -u
hkbench=$1
. "$(dirname "$0")/expect.sh"
limit_s=200
command -v qemu-system-x86_64 >/dev/null || { echo "skipped: qemu-system-x86_64 is not installed"; exit 77; }
kernel() { expect "$1" "$hkbench" kernel "${@:3}" && has -Fe "$2"; } # status, text, arguments...

kernel 0 'hello from ring 3' --scenario hello
kernel 0 'hello from ring 3' --scenario hello --machine q35
kernel 0 'guest/syscall/null' --scenario experiments --count
kernel 0 'hk_entry_syscall' --scenario experiments --count --functions
kernel 2 'FAIL: scenario= takes tour' --scenario nonsense
kernel 2 'FAIL: place= takes hybrid' --scenario tour --place nonsense
kernel 2 'FAIL: place= takes hybrid' --scenario hello --place file:kernel,file:server
kernel 2 'not one word' --scenario 'a b'
kernel 2 'of at most 511' --scenario hello --place "$(printf 'x%.0s' {1..600})"
kernel 0 'first_seed=2385' --scenario fuzz --append 'seed=2385 calls=1000'
kernel 2 'microvm or q35' --machine pc
kernel 2 'from 4 to 2048' --memory 1
kernel 2 'need TCG' --kvm --count
kernel 2 '--functions needs --count' --functions
kernel 2 'No such file or directory' --scenario hello --trace "$tmp/nowhere/trace"
kernel 0 'hello from ring 3' --scenario hello --trace "$tmp/trace"
grep -q 'user   -> kernel  init:.* -> hk_entry_syscall' "$tmp/trace" || fail 'no crossing in the trace'

# QEMU missing: an empty PATH
expect 3 env PATH="$tmp" "$hkbench" kernel --scenario hello
has 'apt install qemu-system-x86'

# Cells of the recorded suite, the fast path among them.
if [ "$2" = record ]; then
  expect 0 "$hkbench" run --guest --shared --out "$tmp/results" --filter '^guest/(syscall|round_trip/endpoint)/'
  has ' cells exact, \([0-9]\|1[0-2]\) near, 0 timed, 0 invalid'
  grep -q '"guest/round_trip/endpoint/spaces:2/words:2"' "$tmp"/results/*/*/exact.json || fail 'no exact.json'
fi
expect 2 "$hkbench" run --guest --quick

# waiting for a debugger for ever: a signal ends it, even one it cannot see, and its QEMU with it
for signal in INT TERM KILL; do
  "$hkbench" kernel --scenario hello --gdb 47110 >"$tmp/out.txt" 2>&1 &
  pid=$!
  qemu=
  for _ in $(seq 100); do
    qemu=$(cat /proc/$pid/task/$pid/children 2>/dev/null | tr -d ' ')
    [ -n "$qemu" ] && break
    sleep 0.05
  done
  kill -$signal $pid
  wait $pid 2>/dev/null
  rc=$?
  [ $signal = KILL ] || [ $rc = 3 ] || fail "$signal: status $rc"
  for _ in $(seq 40); do
    [ -n "$qemu" ] && kill -0 "$qemu" 2>/dev/null || break
    sleep 0.05
  done
  [ -n "$qemu" ] && kill -0 "$qemu" 2>/dev/null && fail 'QEMU outlives its command'
done
exit 0
