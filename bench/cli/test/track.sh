#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The history through the command line: every exit status, every subcommand, bad files, damage.
#
# track.sh HKBENCH
set -u
program=$1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
unset GITHUB_SHA CI_COMMIT_SHA

fail() { echo "FAIL: $*"; head -c 3000 out.txt err.txt; exit 1; }

expect() { # status, arguments of track...
  local want=$1 got
  shift
  timeout 60 "$program" track "$@" >out.txt 2>err.txt </dev/null
  got=$?
  [ $got = "$want" ] || fail "track $*: status $got, not $want"
}
says() { grep -q -- "$1" out.txt || fail "no '$1' in the output"; }
complains() { # status, text, arguments...
  local text=$2 want=$1
  shift 2
  expect "$want" "$@"
  grep -q -- "$text" err.txt || fail "track $*: no '$text'"
  [ "$(wc -l <err.txt)" = 1 ] || fail "track $*: not one line on stderr"
  [ ! -s out.txt ] || fail "track $*: something on stdout"
}

times() { # file, host, time of a, time of b: one job of a program that uses Google Benchmark
  printf '{"context":{"host_name":"%s","date":"%s"},"benchmarks":[
{"name":"a","real_time":%s,"cpu_time":1,"time_unit":"us"},
{"name":"b","real_time":%s,"cpu_time":1,"time_unit":"us"}]}\n' "$2" "$5" "$3" "$4" >"$1"
}
counts() { # file, instructions of a
  printf '{"context":{"hk_machine":"m","hk_schema":"1"},"benchmarks":[
{"name":"guest/a","real_time":%s,"cpu_time":1,"time_unit":"ns","label":"EXACT: a count"},
{"name":"guest/b","real_time":31,"cpu_time":1,"time_unit":"ns","label":"EXACT: a count"}]}\n' "$2" >"$1"
}
seed=1
noise() { # one part in a hundred up or down, always the same sequence
  seed=$(((seed * 1103515245 + 12345) % 2147483648))
  echo $((seed / 65536 % 200 - 100))
}

# --- usage ---
complains 2 'No such file' check --history none.db
complains 2 'what was measured' add --history h.db none.json
complains 2 'name the files' import --history h.db
complains 2 'name the series and why' accept --history h.db a
complains 2 'give --format' export --history h.db --format xml
complains 2 'unknown option' check --no-such
"$program" track >out.txt 2>err.txt </dev/null && fail 'track alone'
"$program" track nonsense >out.txt 2>err.txt </dev/null && fail 'track nonsense'
"$program" track --help >out.txt || fail 'track --help'
says 'track accept'

# --- exact counts: equal, within the floor, beyond it, accepted ---
e() { counts e.json "$2"; expect 0 add --history exact.db --commit "$1" e.json; }
e c1 98
expect 4 check --history exact.db # one value says nothing yet
e c2 98
expect 0 check --history exact.db
says '2 steady'
e c3 101
expect 0 check --history exact.db
e c4 104
expect 1 check --history exact.db
says '+6 exactly'
says 'commits c3..c4'
expect 1 check --history exact.db --json
python3 -c 'import json,sys; d=json.load(open("out.txt")); assert d["exit_status"]==1 and d["series"][0]["after"]==104' || fail 'json'
expect 1 check --history exact.db --markdown
says '^### hkbench: slower'
says '| SLOWER | `guest/a` |'
expect 0 check --history exact.db --floor 6
complains 2 'with a reason\|name the series and why' accept --history exact.db a --reason ' '
expect 0 accept --history exact.db '^guest/a$' --reason 'checks one more right'
expect 0 check --history exact.db
complains 2 'nothing to accept' accept --history exact.db a --reason again
expect 0 log --history exact.db
says 'accept .*checks one more right'
expect 0 log --history exact.db --json
python3 -c 'import json; assert json.load(open("out.txt"))[0]["what"]=="accept"' || fail 'log --json'
e c5 97
expect 0 check --history exact.db
says 'faster'
complains 3 'no series to judge' check --history exact.db --filter nothing

# --- times as ratios: quiet, a step, accepted; the clock jumps back half way ---
for i in $(seq 1 28); do
  n=$(noise) m=$(noise)
  step=$([ "$i" -gt 16 ] && echo 120 || echo 0)
  day=$([ "$i" -lt 12 ] && echo "2030-01-01T00:00:$i" || echo "2020-01-01T00:00:$i")
  drift=$((1000 + 10 * i)) # the machine gets slower for both
  times "head.json" ci "$((drift * (10000 + n + step * 10) / 10)).0" "$((drift * (10000 + m) / 10)).0" "$day"
  times "ref.json" ci "$((drift * 1000)).0" "$((drift * 1000)).0" "$day"
  expect 0 add --history t.db --commit "t$i" --reference ref.json --pin v1 head.json
  [ "$i" = 9 ] && { expect 4 check --history t.db; says 'judged 0'; }
  [ "$i" = 16 ] && { expect 0 check --history t.db; says '2 steady'; }
done
expect 1 check --history t.db
says 'SLOWER'
says 'a step of +1[0-9]'
says 'commits t1[0-9]..t1[0-9]'
says '1 slower'
expect 0 check --history t.db --bound 40
expect 0 accept --history t.db '^a$' --reason 'more is done'
expect 0 check --history t.db
expect 0 show --history t.db
says 'steps at'
says '▁'
expect 0 show --history t.db --json
python3 -c 'import json; d=json.load(open("out.txt")); assert len(d)==4 and len(d[0]["values"])==28' || fail 'show --json'
if command -v gnuplot >/dev/null; then
  complains 2 'a figure is of one' show --history t.db --plot plots
  "$program" track import --history one.db ref.json >/dev/null || fail 'import'
  expect 0 export --history t.db --format csv
fi

# --- one value that stands out is measured again ---
times head.json ci 14200000.0 14000000.0 2020-01-02
times ref.json ci 10000000.0 10000000.0 2020-01-02
expect 0 add --history t.db --commit t29 --reference ref.json --pin v1 head.json
expect 4 check --history t.db
says 'suspect'
says 'measure again'

# --- what does not compare ---
times other.json elsewhere 1 1 2020-01-01
complains 2 'their times do not compare' add --history t.db --commit x --reference other.json head.json
complains 2 'is in it already' add --history t.db --commit t29 --reference ref.json --pin v1 head.json
expect 0 add --history t.db --commit x other.json # another machine: series of its own
expect 4 check --history t.db
says 'not measured in the newest commit'

# --- formats, there and back ---
for format in google bencher csv openmetrics; do
  expect 0 export --history exact.db --format $format
  cp out.txt "$format.out"
done
python3 - <<'PY' || fail 'exports'
import json
g = json.load(open('google.out')); b = json.load(open('bencher.out'))
assert [r['real_time'] for r in g['benchmarks']] == [97, 31], g
assert b['guest/a']['instructions']['value'] == 97, b
lines = open('csv.out').read().splitlines()
assert len(lines) == 6 and lines[0].startswith('time,commit,machine,"guest/a'), lines
m = open('openmetrics.out').read()
assert m.endswith('# EOF\n') and 'hkbench_exact_instructions{benchmark="guest/a"' in m, m
PY
cp google.out c6.json
expect 0 import --history back.db c6.json
expect 0 show --history back.db --json
python3 -c 'import json; d=json.load(open("out.txt")); assert d[0]["values"][0]["value"]==97 and d[0]["kind"]=="exact"' || fail 'back'

# --- files that are none ---
printf '{"benchmarks":[{"name":"a","real_time":1,"cpu_time":1,"time_unit":"ns"}' >cut.json
complains 2 'cut short' add --history bad.db --commit x cut.json
printf '{"benchmarks":[{"name":"a","real_time":NaN,"cpu_time":1,"time_unit":"ns"}]}' >nan.json
complains 3 'no positive number' add --history bad.db --commit x nan.json
printf '{"benchmarks":[{"name":"a","real_time":1,"time_unit":"cycles"}]}' >unit.json
complains 2 "time unit 'cycles'" add --history bad.db --commit x unit.json
complains 2 'no text file' add --history bad.db --commit x "$program"
complains 2 'not found' add --history bad.db --commit x no-such-run
complains 2 'takes a counter in ns' add --history bad.db --commit x --metric hk_switches e.json

# --- databases that are none ---
head -c 5000 /dev/urandom >junk.db
complains 2 'no history of hkbench' check --history junk.db
sqlite3 other.db 'CREATE TABLE x (y)' 2>/dev/null && complains 2 'another program' check --history other.db
cp exact.db newer.db
sqlite3 newer.db 'PRAGMA user_version = 99' 2>/dev/null && complains 2 'use a newer hkbench' check --history newer.db
cp exact.db torn.db
dd if=/dev/urandom of=torn.db bs=4096 seek=1 count=6 conv=notrunc 2>/dev/null
timeout 60 "$program" track check --history torn.db >out.txt 2>err.txt
code=$?
[ $code = 2 ] || fail "a damaged history: $code"
grep -q 'damaged\|malformed' err.txt || fail 'a damaged history'

# --- writers at once, and killed: what was acknowledged is there ---
writer() { # number, jobs
  for i in $(seq 1 "$2"); do
    counts "w$1.json" 98
    "$program" track add --history many.db --commit "w$1-$i" "w$1.json" >/dev/null 2>>w.err && echo "w$1-$i" >>"acknowledged.$1"
  done
}
for w in 1 2 3; do writer $w 5 & done
wait
[ "$(cat acknowledged.* | wc -l)" = 15 ] || fail "writers at once: $(cat w.err)"
for i in $(seq 1 8); do
  counts k.json 98
  "$program" track add --history many.db --commit "k$i" k.json >"k$i.out" 2>/dev/null &
  writer_pid=$!
  sleep "0.00$((i % 7))"
  kill -9 $writer_pid 2>/dev/null
  wait $writer_pid 2>/dev/null
  grep -q '^job' "k$i.out" && echo "k$i" >>acknowledged.k
done
expect 0 log --history many.db --count 1000
while read -r commit; do
  grep -q " $commit " out.txt || fail "acknowledged and lost: $commit"
done < <(cat acknowledged.*)
e2=$(sqlite3 many.db 'PRAGMA integrity_check' 2>/dev/null || echo ok)
[ "$e2" = ok ] || fail "integrity: $e2"
exit 0
