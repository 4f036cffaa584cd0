#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# report.sh HKBENCH WRITER BASELINE: doctor, plot and report on a small run, and on what can go wrong.
set -u
hkbench=$1 writer=$2 baseline=$3 failed=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# expect CODE TEXT COMMAND...: the exit status, and TEXT somewhere in the output
expect() {
  local code=$1 text=$2; shift 2
  "$@" >"$tmp/out" 2>&1
  local got=$?
  if [ $got -ne "$code" ] || ! grep -qF -- "$text" "$tmp/out"; then
    echo "FAILED: $* -> $got, wanted $code and '$text'; said:"; cat "$tmp/out"; failed=1
  fi
}
one_line() { [ "$(wc -l <"$tmp/out")" -eq 1 ] || { echo "FAILED: not one line:"; cat "$tmp/out"; failed=1; }; }

run=$("$writer" "$tmp/results") || exit 1

expect 0 "report.html" "$hkbench" report "$run"
[ -s "$run/report.html" ] || { echo "FAILED: no report"; failed=1; }
expect 0 "report.html" "$hkbench" report --out "$tmp/results"

if command -v gnuplot >/dev/null; then
  expect 0 "figures in" "$hkbench" plot "$run"
  expect 0 "figures in" "$hkbench" plot "$run" --format png --figure round_trip
  [ -s "$run/plots/round_trip.png" ] || { echo "FAILED: no PNG"; failed=1; }
  expect 0 "cost per round trip" "$hkbench" plot "$run" --terminal --figure round_trip
fi
expect 3 "it needs wakeup cells" "$hkbench" plot "$run" --figure lateness
one_line

# without gnuplot: the data and the report are there, and the package is named
expect 3 "gnuplot-nox" env PATH=/nonexistent "$hkbench" plot "$run" --figure round_trip
one_line
[ -s "$run/plots/round_trip.dat" ] || { echo "FAILED: no data"; failed=1; }
expect 0 "report.html" env PATH=/nonexistent "$hkbench" report "$run"
grep -q 'gnuplot-nox' "$run/report.html" || { echo "FAILED: report does not name gnuplot"; failed=1; }

# the same in three worlds: this run's numbers, and for the others the command that measures them
expect 0 "native: $run" "$hkbench" report --worlds --out "$tmp/results"
grep -q '? guest/syscall/null: hkbench run --guest --filter' "$tmp/out" ||
  { echo "FAILED: a missing cell without its command"; cat "$tmp/out"; failed=1; }
grep -q 'id="worlds"' "$run/report.html" || { echo "FAILED: no worlds in the report"; failed=1; }
expect 0 '"measured_by": "hkbench run --linux' "$hkbench" report --worlds --json "$run"
# the table names cells that there are
"$hkbench" report --worlds --json "$run" >"$tmp/json"
"$hkbench" list --full >"$tmp/cells"
for cell in $(sed -n 's/.*"cell": "\(native\|linux\)\/\([^"]*\)".*/\2/p' "$tmp/json" | sort -u); do
  grep -qx "native/$cell" "$tmp/cells" || { echo "FAILED: there is no native/$cell"; failed=1; }
done
for cell in $(sed -n 's/.*"cell": "\(guest\/[^"]*\)".*/\1/p' "$tmp/json" |
              grep -v -E '/(copy|remap)/' | sed 's/\/place:.*//' | sort -u); do
  grep -q "\"$cell[\"/]" "$baseline/launches.jsonl" || { echo "FAILED: there is no $cell"; failed=1; }
done
expect 2 "only with --worlds" "$hkbench" report "$run" "$run"
one_line
expect 2 "for --worlds" "$hkbench" report --json "$run"
one_line
expect 2 "has a run before it" "$hkbench" report --worlds "$run" "$run"
one_line
expect 2 "not found" "$hkbench" report --worlds "$tmp/nothing"
one_line

# usage
expect 2 "svg or png" "$hkbench" plot "$run" --format bmp
one_line
expect 2 "there are: round_trip" "$hkbench" plot "$run" --figure nonsense
one_line
expect 2 "hkbench run" "$hkbench" report --out "$tmp/nothing"
one_line
expect 2 "not found" "$hkbench" report "$tmp/nothing"
one_line
expect 2 "" "$hkbench" doctor extra

# damaged runs
broken=$("$writer" "$tmp/broken") || exit 1
echo '{"name": 1}' >>"$broken/launches.jsonl"
expect 2 "launches.jsonl:9:" "$hkbench" report "$broken"
one_line
old=$("$writer" "$tmp/old") || exit 1
sed -i 's/"schema": 1/"schema": 99/' "$old/run.json"
expect 2 "schema 99" "$hkbench" report "$old"
one_line

# a file system that takes no more: the old report stays, no temporary file does
cp "$run/report.html" "$tmp/before"
expect 2 "no space left" bash -c 'ulimit -f 4; exec "$0" report "$1"' "$hkbench" "$run"
cmp -s "$run/report.html" "$tmp/before" || { echo "FAILED: the old report is gone"; failed=1; }
[ -z "$(find "$run" -name '*.??????')" ] || { echo "FAILED: a temporary file stays"; failed=1; }

expect 0 "two cores" "$hkbench" doctor
expect 0 "gnuplot-nox" env PATH=/nonexistent "$hkbench" doctor
expect 0 '"state": "ok"' "$hkbench" doctor --json
if command -v node >/dev/null; then
  "$hkbench" doctor --json | node -e 'JSON.parse(require("fs").readFileSync(0, "utf8"))' ||
    { echo "FAILED: doctor --json is no JSON"; failed=1; }
fi
expect 0 "no two cores" taskset -c 0 "$hkbench" doctor
exit $failed
