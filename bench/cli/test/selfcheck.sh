#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# selfcheck decides by its bounds, and says why a check is absent.
#
# selfcheck.sh HKBENCH
set -u
hkbench=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; cat "$dir/out" "$dir/err"; exit 1; }

# The code and a text that its output holds.
expect() {
  local code=$1 text=$2
  shift 2
  "$hkbench" selfcheck "$@" >"$dir/out" 2>"$dir/err"
  local got=$?
  [ $got = "$code" ] || fail "selfcheck $*: exit status $got, not $code"
  cat "$dir/out" "$dir/err" | grep -qF -- "$text" || fail "selfcheck $*: nothing about '$text'"
}

expect 2 'no check matches' --filter nothing_of_that_name
expect 2 'not an extended regular expression' --filter '('
expect 2 'whole number from 6 to 1000' --launches 5
expect 2 'unexpected argument' something

# A peer whose figure is known: the verdict follows from it, whatever this machine is.
# Another run may hold the machine; then there is nothing to see here.
peer() { printf '#!/bin/sh\n%s\n' "$1" >"$dir/lat_syscall"; chmod +x "$dir/lat_syscall"; }
check=(--filter '^peer_lat_syscall$' --launches 6 --peers "$dir")
peer 'echo "Simple syscall: 1000000.0 microseconds"'
"$hkbench" selfcheck "${check[@]}" >"$dir/out" 2>"$dir/err"
grep -q 'is measuring on this machine' "$dir/err" && { echo "skip: another run measures"; exit 77; }
expect 0 'met' "${check[@]}"
peer 'echo "Simple syscall: 0.000001 microseconds" >&2; exit 3'
expect 1 'MISSED' "${check[@]}"
expect 1 '"verdict": "MISSED"' "${check[@]}" --json
peer 'echo "Simple syscall: nan microseconds"'
expect 3 'printed no figure' "${check[@]}"
peer 'echo; sleep 1000 & exit 0' # what it leaves running is ended with it
expect 3 'printed no figure' "${check[@]}"
rm "$dir/lat_syscall"
if ! command -v lat_syscall >"$dir/out"; then
  expect 3 'not found: build lmbench' "${check[@]}"
fi

# Interrupted while a peer runs: nothing is left of it.
peer "echo \$\$ >$dir/pid; exec sleep 1000"
"$hkbench" selfcheck "${check[@]}" >"$dir/out" 2>"$dir/err" &
run=$!
for _ in $(seq 100); do [ -s "$dir/pid" ] && break; sleep 0.1; done
kill -INT $run 2>/dev/null # a job of a script ignores SIGINT only until the program asks for it
wait $run
[ $? = 3 ] || fail "interrupted: not exit status 3"
kill -0 "$(cat "$dir/pid")" 2>/dev/null && fail "interrupted: the peer still runs"
exit 0
