#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks ring.pml with spin: the protocol holds in every interleaving, and each mutant is refuted
# (a model that accepts the mutants would prove nothing).
set -u
model=$1
for tool in spin gcc; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

# Prints the number of errors that an exhaustive search finds, and whether it was exhaustive.
search() {
  spin -DMUTANT="$1" -a "$model" >/dev/null && gcc -O1 -w -DSAFETY -DNOREDUCE -o pan pan.c &&
    ./pan -m100000 -n >pan.out 2>&1 || return 1
  grep -q 'search depth too small\|out of memory' pan.out && return 1
  sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.out
}

errors=$(search 0) || { echo "the search did not finish"; cat pan.out 2>/dev/null; exit 1; }
[ "$errors" = 0 ] || { echo "the protocol fails"; cat pan.out; exit 1; }
grep -E 'states, stored' pan.out
for mutant in 1 2 3 4; do
  errors=$(search $mutant) || { echo "mutant $mutant: the search did not finish"; exit 1; }
  [ "$errors" = 0 ] && { echo "mutant $mutant was not refuted"; exit 1; }
  echo "mutant $mutant refuted"
done
exit 0
