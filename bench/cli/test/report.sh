#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# report.sh HKBENCH WRITER BASELINE: doctor, plot and report on a small run, and on what can go wrong.
set -u
hkbench=$1 writer=$2 baseline=$3
. "$(dirname "$0")/expect.sh"
says() { expect "$1" "${@:3}" && has -Fe "$2"; } # status, text, command...

run=$("$writer" "$tmp/results") || fail 'no sample run'

says 0 "report.html" "$hkbench" report "$run"
[ -s "$run/report.html" ] || fail "no report"
says 0 "report.html" "$hkbench" report --out "$tmp/results"

if command -v gnuplot >/dev/null; then
  says 0 "figures in" "$hkbench" plot "$run"
  says 0 "figures in" "$hkbench" plot "$run" --format png --figure round_trip
  [ -s "$run/plots/round_trip.png" ] || fail "no PNG"
  says 0 "cost per round trip" "$hkbench" plot "$run" --terminal --figure round_trip
fi
refused 3 "it needs wakeup cells" "$hkbench" plot "$run" --figure lateness

# without gnuplot: the data and the report are there, and the package is named
refused 3 "gnuplot-nox" env PATH=/nonexistent "$hkbench" plot "$run" --figure round_trip
[ -s "$run/plots/round_trip.dat" ] || fail "no data"
says 0 "report.html" env PATH=/nonexistent "$hkbench" report "$run"
grep -q 'gnuplot-nox' "$run/report.html" || fail "report does not name gnuplot"

# the same in three worlds: this run's numbers, and for the others the command that measures them
says 0 "native: $run" "$hkbench" report --worlds --out "$tmp/results"
has '? guest/syscall/null: hkbench run --guest --filter'
grep -q 'id="worlds"' "$run/report.html" || fail "no worlds in the report"
says 0 '"measured_by": "hkbench run --linux' "$hkbench" report --worlds --json "$run"
# the table names cells that there are
cp "$tmp/out.txt" "$tmp/json"
"$hkbench" list --full >"$tmp/cells"
for cell in $(sed -n 's/.*"cell": "\(native\|linux\)\/\([^"]*\)".*/\2/p' "$tmp/json" | sort -u); do
  grep -qx "native/$cell" "$tmp/cells" || fail "there is no native/$cell"
done
for cell in $(sed -n 's/.*"cell": "\(guest\/[^"]*\)".*/\1/p' "$tmp/json" |
              grep -v -E '/(copy|remap)/' | sed 's/\/place:.*//' | sort -u); do
  grep -q "\"$cell[\"/]" "$baseline/launches.jsonl" || fail "there is no $cell"
done
refused 2 "only with --worlds" "$hkbench" report "$run" "$run"
refused 2 "for --worlds" "$hkbench" report --json "$run"
refused 2 "has a run before it" "$hkbench" report --worlds "$run" "$run"
refused 2 "not found" "$hkbench" report --worlds "$tmp/nothing"

# usage
refused 2 "svg or png" "$hkbench" plot "$run" --format bmp
refused 2 "there are: round_trip" "$hkbench" plot "$run" --figure nonsense
refused 2 "hkbench run" "$hkbench" report --out "$tmp/nothing"
refused 2 "not found" "$hkbench" report "$tmp/nothing"
expect 2 "$hkbench" doctor extra

# damaged runs
broken=$("$writer" "$tmp/broken") || fail 'no sample run'
echo '{"name": 1}' >>"$broken/launches.jsonl"
refused 2 'launches\.jsonl:9:' "$hkbench" report "$broken"
old=$("$writer" "$tmp/old") || fail 'no sample run'
sed -i 's/"schema": 1/"schema": 99/' "$old/run.json"
refused 2 "schema 99" "$hkbench" report "$old"

# a file system that takes no more: the old report stays, no temporary file does
cp "$run/report.html" "$tmp/before"
says 2 "no space left" bash -c 'ulimit -f 4; exec "$0" report "$1"' "$hkbench" "$run"
cmp -s "$run/report.html" "$tmp/before" || fail "the old report is gone"
[ -z "$(find "$run" -name '*.??????')" ] || fail "a temporary file stays"

says 0 "two cores" "$hkbench" doctor
says 0 "gnuplot-nox" env PATH=/nonexistent "$hkbench" doctor
says 0 '"state": "ok"' "$hkbench" doctor --json
if command -v node >/dev/null; then
  "$hkbench" doctor --json | node -e 'JSON.parse(require("fs").readFileSync(0, "utf8"))' ||
    fail 'doctor --json is no JSON'
fi
says 0 "no two cores" taskset -c 0 "$hkbench" doctor
exit 0
