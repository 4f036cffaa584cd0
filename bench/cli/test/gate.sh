#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The recipe for CI from end to end, and the files that call it.
#
# gate.sh HKBENCH SOURCE BASELINE once|replay
#   once    the kernel is booted and counted for the first job
#   replay  the first job, as all later ones, is the checked-in baseline
set -u
# One run at a time is a rule of a network namespace; this test times nothing and has its own.
[ -n "${OWN_NAMESPACE:-}" ] || ! unshare -n true 2>/dev/null || OWN_NAMESPACE=1 exec unshare -n "$0" "$@"
hkbench=$1 source=$2 baseline=$3 first=$4
. "$(dirname "$0")/expect.sh"
limit_s=300
command -v qemu-system-x86_64 >/dev/null || first=replay

# --- the files parse and call the recipe ---
python3 - "$source/ci" <<'PY' || fail 'a CI file'
import sys
try:
    import yaml
except ImportError:
    print('python3-yaml is not installed: the CI files are not parsed'); sys.exit(0)
github = yaml.safe_load(open(sys.argv[1] + '/github-actions.yml'))
gitlab = yaml.safe_load(open(sys.argv[1] + '/gitlab-ci.yml'))
steps = github['jobs']['gate']['steps']
assert any('ci/gate.sh' in step.get('run', '') for step in steps)
assert all(('run' in step) != ('uses' in step) for step in steps)
assert 'ci/gate.sh' in gitlab['latency']['script']
assert gitlab['latency']['allow_failure'] == {'exit_codes': 4}
PY
bash -n "$source/ci/gate.sh" || fail 'gate.sh'

# --- hkbench, but a counted run is the first one again, with some instructions more ---
mkdir "$tmp/bin"
cat >"$tmp/bin/hkbench" <<END
#!/usr/bin/env bash
if [ "\$1" != run ] || { [ ! -d "$tmp/run" ] && [ $first = once ]; }; then
  "$hkbench" "\$@"; code=\$?
  [ "\$1" != run ] || cp -r "\$(find "$tmp/results" -name run.json -printf '%h\n' | head -n 1)" "$tmp/run"
  exit \$code
fi
[ -d "$tmp/run" ] || cp -r "$baseline" "$tmp/run"
n=\$(ls "$tmp/replays" 2>/dev/null | wc -l)
mkdir -p "$tmp/replays"; cp -r "$tmp/run" "$tmp/replays/\$n"
sed -i "s/\"started\": *\"[^\"]*\"/\"started\":\"2026-01-01T00:00:0\$n\"/" "$tmp/replays/\$n/run.json"
python3 - "$tmp/replays/\$n/launches.jsonl" "\${MORE:-0}" <<'PY'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
for line in lines:
    if 'hk_instructions_kernel' in line['counters'] and 'call' in line['name']:
        line['counters']['hk_instructions_kernel'] += int(sys.argv[2])
open(sys.argv[1], 'w').writelines(json.dumps(line) + '\n' for line in lines)
PY
echo "$tmp/replays/\$n"
END
chmod +x "$tmp/bin/hkbench"

gate() { # wanted status, commit
  HKBENCH=$tmp/bin/hkbench HISTORY=$tmp/history.db OUT=$tmp/results COMMIT=$2 SUMMARY=$tmp/summary.md \
    RETRIES=1 expect "$1" "$source/ci/gate.sh"
}

gate 0 a
has 'the first job of this history'
gate 0 b
grep -q '^### hkbench: no regression' "$tmp/summary.md" || fail 'the summary'
MORE=40 gate 1 c
has '+40 exactly'
has 'track accept'
expect 0 "$hkbench" track accept '.' --history "$tmp/history.db" --reason 'checked twice'
MORE=40 gate 0 d

# --- a program of one's own, held against a reference that runs in turns with it ---
cat >"$tmp/bin/bench" <<'END'
#!/usr/bin/env bash
for a in "$@"; do case $a in --benchmark_out=*) out=${a#*=} ;; esac; done
printf '{"context":{"host_name":"ci"},"benchmarks":[{"name":"x","real_time":%s,"cpu_time":1,"time_unit":"ns"}]}' \
  "$((${TIME:-5000} + RANDOM % 7))" >"$out"
END
chmod +x "$tmp/bin/bench"
own() { # wanted status, commit, benchmark
  HKBENCH=$hkbench HISTORY=$tmp/own.db OUT=$tmp/results COMMIT=$2 BENCHMARK=$3 RETRIES=0 ROUNDS=2 \
    REFERENCE=$tmp/bin/bench expect "$1" "$source/ci/gate.sh"
}
own 0 a "$tmp/bin/bench"
own 4 b "$tmp/bin/bench"
expect 0 "$hkbench" track show --history "$tmp/own.db" --json
python3 - "$tmp/out.txt" <<'PY' || fail 'launches in turns'
import json, sys
series = {s['kind']: s for s in json.load(open(sys.argv[1]))}
assert series['ratio']['values'][0]['launches_count'] == 2
assert abs(series['ratio']['values'][0]['value'] - 1) < 0.01
PY
own 3 c false

# --- what is wrong is said ---
COMMIT=x HKBENCH=$tmp/none refused 2 'no program' "$source/ci/gate.sh"
cd "$tmp" || exit 1
unset GITHUB_SHA CI_COMMIT_SHA
HKBENCH=$hkbench expect 2 "$source/ci/gate.sh"
exit 0
