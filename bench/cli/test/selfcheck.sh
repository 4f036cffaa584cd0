#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# selfcheck decides by its bounds, and says why a check is absent.
#
# selfcheck.sh HKBENCH
set -u
hkbench=$1
. "$(dirname "$0")/expect.sh"
selfcheck() { expect "$1" "$hkbench" selfcheck "${@:3}" && has -Fe "$2"; } # status, text, options

selfcheck 2 'no check matches' --filter nothing_of_that_name
selfcheck 2 'not an extended regular expression' --filter '('
selfcheck 2 'whole number from 6 to 1000' --launches 5
selfcheck 2 'unexpected argument' something

# A peer whose figure is known: the verdict follows from it, whatever this machine is.
# Another run may hold the machine; then there is nothing to see here.
peer() { printf '#!/bin/sh\n%s\n' "$1" >"$tmp/lat_syscall"; chmod +x "$tmp/lat_syscall"; }
check=(--filter '^peer_lat_syscall$' --launches 6 --peers "$tmp")
peer 'echo "Simple syscall: 1000000.0 microseconds"'
"$hkbench" selfcheck "${check[@]}" >"$tmp/out.txt" 2>"$tmp/err.txt"
grep -q 'is measuring on this machine' "$tmp/err.txt" && { echo "skip: another run measures"; exit 77; }
selfcheck 0 'met' "${check[@]}"
peer 'echo "Simple syscall: 0.000001 microseconds" >&2; exit 3'
selfcheck 1 'MISSED' "${check[@]}"
selfcheck 1 '"verdict": "MISSED"' "${check[@]}" --json
peer 'echo "Simple syscall: nan microseconds"'
selfcheck 3 'printed no figure' "${check[@]}"
peer 'echo; sleep 1000 & exit 0' # what it leaves running is ended with it
selfcheck 3 'printed no figure' "${check[@]}"
rm "$tmp/lat_syscall"
if ! command -v lat_syscall >"$tmp/out.txt"; then
  selfcheck 3 'not found: build lmbench' "${check[@]}"
fi

# Interrupted while a peer runs: nothing is left of it.
peer "echo \$\$ >$tmp/pid; exec sleep 1000"
"$hkbench" selfcheck "${check[@]}" >"$tmp/out.txt" 2>"$tmp/err.txt" &
run=$!
for _ in $(seq 100); do [ -s "$tmp/pid" ] && break; sleep 0.1; done
kill -INT $run 2>/dev/null # a job of a script ignores SIGINT only until the program asks for it
wait $run
[ $? = 3 ] || fail "interrupted: not exit status 3"
kill -0 "$(cat "$tmp/pid")" 2>/dev/null && fail "interrupted: the peer still runs"
exit 0
