#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Calibration: measured, kept, read by --plan, and what a bad rate does to the gates.
#
# calibrate.sh HKBENCH
set -u
# One run at a time is a rule of a network namespace; this test times nothing and has its own.
[ -n "${OWN_NAMESPACE:-}" ] || ! unshare -n true 2>/dev/null || OWN_NAMESPACE=1 exec unshare -n "$0" "$@"
program=$1
. "$(dirname "$0")/expect.sh"
limit_s=170
cd "$tmp" || exit 1

expect 3 "$program" calibrate --plan 5
err_has 'measure it with: hkbench calibrate'
expect 2 "$program" calibrate --cell native/no/such/cell --comparisons 1 --launches 6
expect 2 "$program" calibrate --launches 5

expect 2 "$program" calibrate --path sideways
err_has 'takes paired, interleaved, history or apart'

expect 0 "$program" doctor
grep -A2 'gate on times' out.txt | grep -q 'not calibrated here' || fail 'doctor without a calibration'
expect 0 "$program" calibrate --path paired --comparisons 2 --launches 6
expect 0 "$program" calibrate --path interleaved --comparisons 2 --launches 6 --json
file=$(echo results/*/calibration.json)
python3 - "$file" <<'PY' || fail 'what was measured'
import json, sys
said = json.load(open('out.txt'))['paths']; kept = json.load(open(sys.argv[1]))['paths']
for path in ('paired', 'interleaved'):
    p = said[path]
    assert 1 <= p['trials_count'] == kept[path]['trials_count'] <= 2, p
    assert 0 <= p['rejections_count'] <= p['trials_count'] and p['difference_sd_ln'] > 0, p
    assert p['lower_ratio'] <= p['rejections_count'] / p['trials_count'] <= p['upper_ratio'], p
assert 'history' not in said  # 12 jobs are too few for it
PY
expect 0 "$program" calibrate --plan 5
out_has 'launches of each side'
[ -z "$(ls /tmp/hkbench-launch* 2>/dev/null)" ] || fail 'something was left'

# --- one side, then the other: a comparison, and all else stays ---
expect 0 "$program" calibrate --path apart --comparisons 1 --json
python3 - "$file" <<'PY' || fail 'apart'
import json, sys
said = json.load(open('out.txt'))['paths']; kept = json.load(open(sys.argv[1]))['paths']
assert set(kept) == {'paired', 'interleaved', 'apart'} == set(said), kept
p = said['apart']
assert p['trials_count'] == 1 and p['rejections_count'] <= 1 and p['nominal_ratio'] == 0.05, p
assert p['difference_sd_ln'] > 0, p
PY
expect 0 "$program" doctor
out_has 'partly  gate on times .*apart [01] of 1; all gate'

# --- a machine that cries wolf: slower times are advice, exit status 4; counts still gate ---
python3 - "$file" <<'PY' || fail 'edit'
import json, sys
c = json.load(open(sys.argv[1]))
bad = {'nominal_ratio': 0.01, 'trials_count': 30, 'rejections_count': 9, 'difference_sd_ln': 0.1}
c['paths']['history'] = bad
c['paths']['interleaved'] = dict(bad, nominal_ratio=0.05, rejections_count=20)
c['paths']['apart'] = dict(bad, nominal_ratio=0.05, rejections_count=0)
json.dump(c, open(sys.argv[1], 'w'))
PY
machine=$(basename "$(dirname "$file")")
for i in $(seq 1 24); do # one file a job, all of them this machine's
  printf '{"context":{"hk_machine":"%s","hk_schema":"1","date":"2026-01-01T00:00:%02d"},"benchmarks":[' "$machine" "$i" >"job$i.json"
  printf '{"name":"native/a","real_time":%d,"cpu_time":1,"time_unit":"ns"}]}\n' $(((i > 12 ? 7000 : 5000) + i * 7 % 5)) >>"job$i.json"
done
expect 0 "$program" track import $(seq -f 'job%g.json' 1 24)
expect 4 "$program" track check
out_has 'SLOWER' # the finding is still told
out_has 'advice only'
expect 1 "$program" track check --out elsewhere # not calibrated there
for side in a b; do
  {
    printf '{"context":{"hk_machine":"%s","hk_schema":"1"},"benchmarks":[' "$machine"
    for i in $(seq 0 11); do
      [ "$i" = 0 ] || printf ','
      printf '{"name":"native/a","repetition_index":%d,"real_time":%d,"cpu_time":1,"time_unit":"ns"}' "$i" \
        $((5000 + i * 7 % 5))
    done
    printf ']}\n'
  } >"$side.json"
  sed -i 's/"real_time":5/"real_time":'"$([ $side = b ] && echo 9 || echo 5)"'/g' "$side.json"
done
expect 4 "$program" compare --paired a.json b.json
out_has 'advice only'
expect 1 "$program" compare --paired --out elsewhere a.json b.json
# each way to a verdict has its own rate: not in turns it is few, and then many
expect 1 "$program" compare --drift 1 a.json b.json
python3 -c 'import json, sys; c = json.load(open(sys.argv[1])); c["paths"]["apart"]["rejections_count"] = 15
json.dump(c, open(sys.argv[1], "w"))' "$file" || fail 'edit again'
expect 4 "$program" compare --drift 1 a.json b.json
out_has '(apart, at least'
expect 0 "$program" doctor
out_has 'only advise: interleaved, history, apart'
exit 0
