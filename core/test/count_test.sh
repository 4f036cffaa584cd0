#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# count_test.sh PROGRAM: exact instruction counts of page and channel operations, without what they
# copy and zero: (C(2N) - C(N)) / N for each, by valgrind's counter.
set -u
program=$1
[ -x "$program" ] || { echo "$program is not built"; exit 1; }
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }
n=1000

count() { # instructions of a run that does $1 $2 times
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 |
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

# Sets `cost` to the instructions of one $1.
measure() {
  local once twice
  once=$(count "$1" $n) twice=$(count "$1" $((2 * n)))
  [ -n "$once" ] && [ -n "$twice" ] || { echo "skipped: valgrind does not run here"; exit 77; }
  cost=$(((twice - once) / n))
}

check() { # NAME COST LIMIT
  echo "$1: $2 instructions, at most $3"
  [ "$2" -le "$3" ] || { echo "$1 costs too much"; failed=1; }
}

failed=0
measure page; page=$cost
measure zero; zero=$cost
measure channel; channel=$cost
measure copy; copy=$cost
measure buffers; buffers=$cost
measure ring; ring=$cost
check "page allocate + free without zeroing" $((page - zero)) 25
check "channel send + receive of 256 bytes without the copies" $((channel - copy)) 60
check "ring send + receive of 256 bytes without the copies" $((ring - copy)) 60
check "the same through buffers, as system calls do" $((buffers - copy)) 160
exit $failed
