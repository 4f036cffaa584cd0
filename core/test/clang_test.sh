#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# clang_test.sh CLANG SOURCE PROGRAM: PROGRAM is given what CLANG makes of SOURCE for the target bpf.
set -u
clang=$1 source=$2 program=$3
"$clang" -print-targets 2>/dev/null | grep -qw bpf || { echo "skipped: no clang with the target bpf (Debian: clang)"; exit 77; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
for level in -O1 -O2 -Os; do
  "$clang" $level -target bpf -Wall -Wextra -c "$source" -o "$tmp/filter.o" || exit 1
  "$program" "$tmp/filter.o" || { echo "not as the source says: $level"; exit 1; }
done
