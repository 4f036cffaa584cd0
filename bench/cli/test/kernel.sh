#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hkbench kernel and run --guest: what it prints, how it ends, and that nothing stays behind.
#
# kernel.sh HKBENCH record|brief
#   record  cells of run --guest are recorded
#   brief   they are not: cli_guest_verdicts records all of them
set -u
hkbench=$1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
command -v qemu-system-x86_64 >/dev/null || { echo "skipped: qemu-system-x86_64 is not installed"; exit 77; }
failed=0

# expect <exit code> <text in the output> <arguments...>
expect() {
  local code=$1 text=$2 out rc
  shift 2
  out=$("$hkbench" kernel "$@" 2>&1)
  rc=$?
  if [ $rc != "$code" ] || ! grep -qF -- "$text" <<<"$out"; then
    echo "hkbench kernel $*: status $rc instead of $code, or no '$text' in:"
    echo "$out"
    failed=1
  fi
}

expect 0 'hello from ring 3' --scenario hello
expect 0 'hello from ring 3' --scenario hello --machine q35
expect 0 'guest/syscall/null' --scenario experiments --count
expect 0 'hk_entry_syscall' --scenario experiments --count --functions
expect 2 'FAIL: scenario= takes tour' --scenario nonsense
expect 2 'FAIL: place= takes hybrid' --scenario tour --place nonsense
expect 2 'FAIL: place= takes hybrid' --scenario hello --place file:kernel,file:server
expect 2 'not one word' --scenario 'a b'
expect 2 'of at most 511' --scenario hello --place "$(printf 'x%.0s' {1..600})"
expect 0 'first_seed=2385' --scenario fuzz --append 'seed=2385 calls=1000'
expect 2 'microvm or q35' --machine pc
expect 2 'from 4 to 2048' --memory 1
expect 2 'need TCG' --kvm --count
expect 2 '--functions needs --count' --functions
expect 2 'No such file or directory' --scenario hello --trace "$tmp/nowhere/trace"
expect 0 'hello from ring 3' --scenario hello --trace "$tmp/trace"
grep -q 'user   -> kernel  init:.* -> hk_entry_syscall' "$tmp/trace" || { echo "no crossing in the trace"; failed=1; }

# QEMU missing: an empty PATH
out=$(PATH=$tmp "$hkbench" kernel --scenario hello 2>&1)
[ $? = 3 ] && grep -q 'apt install qemu-system-x86' <<<"$out" || { echo "$out"; failed=1; }

# Cells of the recorded suite, the fast path among them.
if [ "$2" = record ]; then
  out=$("$hkbench" run --guest --shared --out "$tmp/results" --filter '^guest/(syscall|round_trip/endpoint)/' 2>&1)
  [ $? = 0 ] && grep -q ' cells exact, \([0-9]\|1[0-2]\) near, 0 timed, 0 invalid' <<<"$out" || { echo "$out"; failed=1; }
  grep -q '"guest/round_trip/endpoint/spaces:2/words:2"' "$tmp"/results/*/*/exact.json || failed=1
fi
out=$("$hkbench" run --guest --quick 2>&1)
[ $? = 2 ] || { echo "--guest --quick: $out"; failed=1; }

# waiting for a debugger for ever: a signal ends it, even one it cannot see, and its QEMU with it
for signal in INT TERM KILL; do
  "$hkbench" kernel --scenario hello --gdb 47110 >"$tmp/out" 2>&1 &
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
  [ $signal = KILL ] || [ $rc = 3 ] || { echo "$signal: status $rc"; cat "$tmp/out"; failed=1; }
  for _ in $(seq 40); do
    [ -n "$qemu" ] && kill -0 "$qemu" 2>/dev/null || break
    sleep 0.05
  done
  [ -n "$qemu" ] && kill -0 "$qemu" 2>/dev/null && { echo "QEMU outlives its command"; failed=1; }
done
exit $failed
