#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An installed hkbench finds the guest's files without the tree it was built in. $1: build folder.
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
command -v qemu-system-x86_64 >/dev/null || { echo "skipped: qemu-system-x86_64 is not installed"; exit 77; }
cmake --install "$1" --prefix "$tmp/a, b" >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
cd /
out=$("$tmp/a, b/bin/hkbench" kernel --scenario experiments --count 2>&1) || { echo "$out"; exit 1; }
grep -q '^guest/syscall/null' <<<"$out" || { echo "$out"; exit 1; }
rm -r "$tmp/a, b/share/hkbench/hkbench-programs.a"
out=$("$tmp/a, b/bin/hkbench" kernel 2>&1)
[ $? = 2 ] && grep -q 'hkbench-programs.a is missing' <<<"$out" || { echo "$out"; exit 1; }
