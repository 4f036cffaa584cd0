#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The formulas judged on counts of our own kernel: the same verdicts on every machine, to the bit.
# And they are judged, not recited: a cell that costs one instruction in a hundred more flips one.
#
# guest_verdicts.sh HKBENCH EXPECTED
#
# EXPECTED holds the clock that it was counted with, then the verdicts' lines. With another QEMU or
# compiler a figure may differ; which verdict it is may not. After a change that is meant:
#   hkbench run --guest; hkbench validate; the lines of verdicts.json become EXPECTED
set -u
hkbench=$1 expected=$2
command -v qemu-system-x86_64 >/dev/null ||
  { echo "skipped: qemu-system-x86_64 is not installed (Debian: qemu-system-x86)"; exit 77; }
. "$(dirname "$0")/expect.sh"
limit_s=300

# The verdicts of a run folder, one line each.
judge() { # folder
  expect 0 "$hkbench" validate "$1"
  sed -n 's/^ *"line": "\(.*\)",\{0,1\}$/\1/p' "$1/verdicts.json"
}
# Formula, regime, verdict, and whether it is exact: what no figure decides.
kinds() { sed -E 's/: (HOLDS|REFUTED->REPLACED|REFUTED|INCONCLUSIVE)(, EXACT)?, .*/: \1\2/'; }

expect 0 "$hkbench" run --guest --shared --json --out "$tmp/results"
# Counts alone. What is near differs in events of the cache and TLB model, never in instructions.
out_has '"cells_near":\([0-9]\|1[0-2]\),.*"cells_timed":0,.*"cells_invalid":0,'
folder=$(sed 's/.*"path":"\([^"]*\)".*/\1/' "$tmp/out.txt")
grep -ho 'boots differ in [^"]*' "$folder/launches.jsonl" |
  grep -v '^boots differ in hk_\(cache\|tlb\)_[a-z0-9_]*\(, hk_\(cache\|tlb\)_[a-z0-9_]*\)*$' &&
  fail 'boots differ in instructions'
clock=$(sed 's/.*"clock":"\([^"]*\)".*/\1/; s/;.*//' "$tmp/out.txt")
judge "$folder" >"$tmp/verdicts.txt"
grep -v '^#' "$expected" >"$tmp/expected.txt"
if [ "$(sed -n 's/^# counted with //p' "$expected")" = "$clock" ]; then
  diff "$tmp/expected.txt" "$tmp/verdicts.txt" || fail "not the verdicts of $expected"
else
  diff <(kinds <"$tmp/expected.txt") <(kinds <"$tmp/verdicts.txt") ||
    fail "not the kinds of $expected (figures are of another clock: $clock)"
fi
grep -q 'HOLDS, EXACT' "$tmp/verdicts.txt" || fail 'nothing holds exactly'
judge "$folder" | diff "$tmp/verdicts.txt" - || fail 'the same run, another verdict'

# --- a dearer cell, a lost page: the verdict is another one, and the others stay ---
mutate() { # what, cell, counter, factor, regime, kind
  rm -rf "$tmp/mutant"
  cp -r "$folder" "$tmp/mutant"
  awk -v cell="\"name\":\"$2\"," -v key="\"$3\":" -v factor="$4" '
    index($0, cell) && match($0, key "[0-9.]+") {
      value = substr($0, RSTART + length(key), RLENGTH - length(key))
      $0 = substr($0, 1, RSTART - 1) key sprintf("%.17g", value * factor) substr($0, RSTART + RLENGTH)
    }
    { print }' "$folder/launches.jsonl" >"$tmp/mutant/launches.jsonl"
  judge "$tmp/mutant" >"$tmp/mutant.txt"
  grep -qF "in $5: $6, EXACT" "$tmp/mutant.txt" || fail "$1: $(grep -F "in $5:" "$tmp/mutant.txt")"
  [ "$(diff "$tmp/verdicts.txt" "$tmp/mutant.txt" | grep -c '^>')" = 1 ] ||
    fail "$1: $(diff "$tmp/verdicts.txt" "$tmp/mutant.txt")"
}
mutate 'a dearer chain' guest/chain/endpoint/servers:4 hk_instructions_clock 1.01 \
  guest/chain/registers REFUTED
mutate 'a lost transfer' guest/inject/endpoint/servers:2/delay_instructions:2000 \
  hk_instructions_clock 0.75 'guest/coefficient of two servers' REFUTED
mutate 'more copied' guest/fallback/mix:independent/trace:test hk_copied_bytes 1.01 \
  guest/independent/bytes REFUTED
mutate 'a dearer verifier' guest/extension/load/shape:straight/size:512/place:kernel \
  hk_instructions_clock 1.06 guest/loading/straight/kernel REFUTED
exit 0
