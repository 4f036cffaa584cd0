#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# place.sh HKBENCH WRITE_SAMPLE_RUN: studies of made-up placements, and what cannot be studied.
set -u
hkbench=$1 write_sample_run=$2
. "$(dirname "$0")/expect.sh"
place() { expect 0 "$hkbench" place "$@"; }
cannot() { refused "$1" "$2" "$hkbench" place "${@:3}"; } # status, text, arguments...
run=$("$write_sample_run" "$tmp/made") || fail 'no sample run'
cannot 3 'has no placements; count them with' "$run"

# placements WORKLOAD PAIR SETS: file and block cost PAIR more when both are servers
placements() {
  awk -v w="$1" -v pair="$2" -v sets="$3" 'BEGIN {
    split("113.5 71.25 47.125 31.5 13.75 89.5 3.25 58.75", alone, " ")
    for (mask = 256 - sets; mask < 256; mask++) {
      y = 2385.5; left = 255 - mask; bit = 1
      for (i = 1; i <= 8; i++) { out[i] = int(left / bit) % 2; y += out[i] * alone[i]; bit *= 2 }
      y += out[1] * out[3] * pair
      for (index_ = 0; index_ < 2; index_++)
        printf "{\"name\": \"guest/placement/%s/mask:%03d\", \"index\": %d, \"seed\": \"1\", \"state\": \"ok\", \"exactness\": \"exact\", \"counters\": {\"hk_instructions_kernel\": %.6f, \"hk_instructions_user\": 0}, \"series\": {}}\n", w, mask, index_, y
    } }' >>"$run/launches.jsonl"
}
placements additive 0 256
placements pairs 900 256
place "$run"
out_has '^verdict .*guest/placement/additive: HOLDS'
out_has '^verdict .*guest/placement/pairs: REFUTED->REPLACED.*pairs HOLDS'
cp "$tmp/out.txt" "$tmp/first"
place "$run"
cmp -s "$tmp/out.txt" "$tmp/first" || fail 'the same run gives another text'

place --workload additive --json "$run"
python3 - "$tmp/out.txt" <<'END' || fail 'the JSON says something else'
import json, sys
(s,) = json.load(open(sys.argv[1]))
assert s["workload"] == "additive" and s["exact"] and len(s["placements"]) == 256
assert s["verdict"] == "HOLDS"
assert abs(sum(w["area_ratio"] for w in s["winners"]) - 1) < 1e-9
for m in s["models"]:
    assert m["held_out"]["count"] == 219 and m["held_out"]["tau_b"] > 0.999
    assert m["agreement_ratio"] > 0.999999 and not m["over_budget"]
assert s["hybrid"]["servers"] == ["file", "print"] and s["hybrid"]["mask"] == 190
assert abs(s["hybrid"]["instructions"] - 2502.25) < 1e-6
END
expect 0 "$hkbench" validate "$run"
out_has '^F2 .*guest/placement/pairs .*REFUTED->REPLACED'

# without RUN: the newest run that has placements, not the newest one
cp -r "$run" "${run%/*}/99991231T235959Z" && grep -v '^{"name": "guest/placement' \
  "$run/launches.jsonl" >"${run%/*}/99991231T235959Z/launches.jsonl"
place --out "$tmp/made"
cmp -s "$tmp/out.txt" "$tmp/first" || fail 'the newest run with placements gives another text'
cannot 2 'has guest/placement/moon/[*] (' --out "$tmp/made" --workload moon

cannot 3 'has no placements of moon' --workload moon "$run"
placements torn 0 20
expect 4 "$hkbench" place "$run"
err_has -F '1 of 3 workloads lack placements (torn has 20 of 256)'
cannot 3 '1 of 1 workloads lack placements' --workload torn "$run"
cannot 2 'cannot be opened' --services "$tmp/none.ini" "$run"
printf '[file]\nbenefit_points = many\n' >"$tmp/bad.ini"
cannot 2 'bad\.ini:2: \[file] benefit_points: a number' --services "$tmp/bad.ini" "$run"
cannot 2 '' "$tmp/none"
cannot 2 'whole number' --budget-percent -1 "$run"
