#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Counts instructions per iteration of the C and of the C++ loop, exactly: the difference between
# two runs of different length under callgrind, which leaves everything but the loop out.
#
# loop_instructions.sh PROBE
set -eu
probe=$1
command -v valgrind >/dev/null || { echo "SKIP: valgrind is not installed (package valgrind)"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

count() { # loop iterations -> instructions
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$probe" "$1" "$2" >out.txt 2>err.txt || {
    cat out.txt err.txt >&2
    return 1
  }
  awk '/Collected/ { print $4 }' err.txt
}

short=1000000 long=11000000
for loop in c c++; do
  a=$(count $loop $short) || exit 1
  b=$(count $loop $long) || exit 1
  # Hundredths: start-up differs by a few thousand instructions from run to run.
  per100=$(((b - a + (long - short) / 200) * 100 / (long - short)))
  printf '%s loop: %d.%02d instructions per iteration\n' "$loop" $((per100 / 100)) $((per100 % 100))
  [ "$per100" -ge 199 ] && [ "$per100" -le 301 ] || { echo "not 2 to 3"; exit 1; }
done
