#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fuzz_test.sh PROGRAM RUNS CORPUS...: a fixed number of runs from a fixed seed and corpus; a crash
# leaves its input beside the build for debugging. More: PROGRAM CORPUS.
set -u
program=$1 runs=$2
shift 2
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
for corpus in "$@"; do
  [ -d "$corpus" ] && cp "$corpus"/* "$tmp" || cp "$corpus" "$tmp"
done
nice "$program" -seed=20260 -runs="$runs" -max_total_time=60 -print_final_stats=1 \
  -artifact_prefix="$PWD/" -max_len=8192 "$tmp" >"$program.log" 2>&1
status=$?
grep -E 'ERROR|SUMMARY|number_of_executed_units|Test unit written' "$program.log"
[ $status -eq 0 ] || { tail -40 "$program.log"; exit 1; }
