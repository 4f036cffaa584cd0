#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# foreign_reader.sh node|compare WRITER: programs of other people read benchmark.json.
set -u
skip() { echo "skipped: $1"; exit 77; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
run=$("$2" "$tmp") || exit 1

case $1 in
node)
  command -v node >/dev/null || skip "no node (Debian package nodejs)"
  for f in benchmark exact run machine; do
    node -e 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))' "$run/$f.json" || exit 1
  done ;;
compare)
  tool=/usr/share/benchmark/compare.py
  [ -e "$tool" ] || skip "no $tool (Debian package libbenchmark-tools)"
  # The one on the path may be without Debian's packages.
  for python in python3 /usr/bin/python3 ""; do
    [ -n "$python" ] || skip "no scipy for compare.py (Debian package python3-scipy)"
    "$python" -c 'import scipy' 2>/dev/null && break
  done
  # An errored row counts as a time of 0 there, so look at one clean family.
  out=$("$python" "$tool" --no-color benchmarks "$run/benchmark.json" "$run/benchmark.json") || exit 1
  grep -q 'native/round_trip/pipe/place:same_core/bytes:64' <<<"$out" || { echo "$out"; exit 1; }
  grep -q '_pvalue' <<<"$out" || { echo "$out"; exit 1; } ;;
*) echo "unknown reader $1"; exit 1 ;;
esac
