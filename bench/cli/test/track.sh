#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The history through the command line: every exit status, every subcommand, bad files, damage.
#
# track.sh HKBENCH
set -u
program=$1
. "$(dirname "$0")/expect.sh"
cd "$tmp" || exit 1
unset GITHUB_SHA CI_COMMIT_SHA
track() { expect "$1" "$program" track "${@:2}"; } # status, arguments...
cannot() { refused "$1" "$2" "$program" track "${@:3}"; } # status, text, arguments...

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
cannot 2 'No such file' check --history none.db
cannot 2 'what was measured' add --history h.db none.json
cannot 2 'name the files' import --history h.db
cannot 2 'name the series and why' accept --history h.db a
cannot 2 'give --format' export --history h.db --format xml
cannot 2 'unknown option' check --no-such
track 2
track 2 nonsense
track 0 --help
out_has 'track accept'

# --- exact counts: equal, within the floor, beyond it, accepted ---
e() { counts e.json "$2"; track 0 add --history exact.db --commit "$1" e.json; }
e c1 98
track 4 check --history exact.db # one value says nothing yet
e c2 98
track 0 check --history exact.db
out_has '2 steady'
e c3 101
track 0 check --history exact.db
e c4 104
track 1 check --history exact.db
out_has '+6 exactly'
out_has 'commits c3..c4'
track 1 check --history exact.db --json
python3 -c 'import json,sys; d=json.load(open("out.txt")); assert d["exit_status"]==1 and d["series"][0]["after"]==104' || fail 'json'
track 1 check --history exact.db --markdown
out_has '^### hkbench: slower'
out_has '| SLOWER | `guest/a` |'
track 0 check --history exact.db --floor 6
cannot 2 'with a reason\|name the series and why' accept --history exact.db a --reason ' '
track 0 accept --history exact.db '^guest/a$' --reason 'checks one more right'
track 0 check --history exact.db
cannot 2 'nothing to accept' accept --history exact.db a --reason again
track 0 log --history exact.db
out_has 'accept .*checks one more right'
track 0 log --history exact.db --json
python3 -c 'import json; assert json.load(open("out.txt"))[0]["what"]=="accept"' || fail 'log --json'
e c5 97
track 0 check --history exact.db
out_has 'faster'
cannot 3 'no series to judge' check --history exact.db --filter nothing

# --- times as ratios: quiet, a step, accepted; the clock jumps back half way ---
for i in $(seq 1 28); do
  n=$(noise) m=$(noise)
  step=$([ "$i" -gt 16 ] && echo 120 || echo 0)
  day=$([ "$i" -lt 12 ] && echo "2030-01-01T00:00:$i" || echo "2020-01-01T00:00:$i")
  drift=$((1000 + 10 * i)) # the machine gets slower for both
  times "head.json" ci "$((drift * (10000 + n + step * 10) / 10)).0" "$((drift * (10000 + m) / 10)).0" "$day"
  times "ref.json" ci "$((drift * 1000)).0" "$((drift * 1000)).0" "$day"
  track 0 add --history t.db --commit "t$i" --reference ref.json --pin v1 head.json
  [ "$i" = 9 ] && { track 4 check --history t.db; out_has 'judged 0'; }
  [ "$i" = 16 ] && { track 0 check --history t.db; out_has '2 steady'; }
done
track 1 check --history t.db
out_has 'SLOWER'
out_has 'a step of +1[0-9]'
out_has 'commits t1[0-9]..t1[0-9]'
out_has '1 slower'
track 0 check --history t.db --bound 40
track 0 accept --history t.db '^a$' --reason 'more is done'
track 0 check --history t.db
track 0 show --history t.db
out_has 'steps at'
out_has '▁'
track 0 show --history t.db --json
python3 -c 'import json; d=json.load(open("out.txt")); assert len(d)==4 and len(d[0]["values"])==28' || fail 'show --json'
track 0 show --history t.db --kind ratio --json
python3 -c 'import json; d=json.load(open("out.txt")); assert [s["kind"] for s in d]==["ratio"]*2' || fail 'show --kind'
cannot 2 '--kind takes' show --history t.db --kind odd

# --- the figure: every value, its levels, its step ---
if command -v gnuplot >/dev/null; then
  cannot 2 'a figure is of one' show --history t.db --plot plots '^a$'
  track 0 show --history t.db --kind ratio --plot plots '^a$'
  python3 - <<'PY' || fail 'the figure'
import re, xml.dom.minidom
text = open('plots/series.svg').read()
xml.dom.minidom.parseString(text)
plots = re.split(r'<g id="gnuplot_plot_\d+"', text)[1:]
assert len(plots) == 3, len(plots)
marks = [plot.count('<use ') for plot in plots]
assert marks[0] == 29, marks # one for each of the 28 jobs, and the key's
assert marks[2] >= 2, marks  # the step's, and the key's
lines = re.findall(r'M([\d.]+),([\d.]+) L([\d.]+),([\d.]+)', plots[1])[1:] # the key's is first
assert len(lines) == 2, lines
(x0, y0, x1, y1), (x2, y2, x3, y3) = [[float(v) for v in line] for line in lines]
assert x0 < x1 < x2 < x3 and y0 == y1 and y2 == y3 and y2 < y0, lines # a level, then a higher one
data = open('plots/series.dat').read().split('\n\n\n')
assert len(data[0].split('\n')) == 29 and data[2].count('\n') == 2, data
step = int(data[2].split('\n')[1].split()[0])
assert 15 <= step <= 18, step
PY
  track 0 show --history t.db --kind ratio --plot plots --format png '^a$'
  [ "$(head -c 4 plots/series.png | tail -c 3)" = PNG ] || fail 'the figure as PNG'
  cannot 2 'unknown format' show --history t.db --kind ratio --plot plots --format gif '^a$'
fi

# --- exported and imported: the same series ---
track 0 export --history t.db --format csv
cp out.txt there.csv
track 0 import --history again.db there.csv
out_has '^28 jobs'
track 0 export --history again.db --format csv
cmp -s out.txt there.csv || fail 'CSV there and back'
track 1 check --history again.db # as it was before it was accepted
out_has 'commits t1[0-9]..t1[0-9]'
cannot 2 'is in it already' import --history again.db there.csv
bad_csv() { # text of the message, contents
  printf '%b' "$2" >bad.csv
  cannot 2 "$1" import --history bad.db bad.csv
}
head -c 600 there.csv >bad.csv
cannot 2 'cut short' import --history bad.db bad.csv
bad_csv 'no series' 'time,commit,machine\n"t","c","m"\n'
bad_csv 'same title' 'time,commit,machine,a time_ns absolute m,a time_ns absolute m\nt,c,m,1,2\n'
bad_csv "no 'name metric" 'time,commit,machine,a\nt,c,m,1\n'
bad_csv 'is no value' 'time,commit,machine,a time_ns absolute m\nt,c,m,nan\n'
bad_csv 'is no value' 'time,commit,machine,a time_ns absolute m\nt,c,m,-1\n'
bad_csv 'does not have 4 fields' 'time,commit,machine,a time_ns absolute m\nt,c,m,1,2\n'
printf 'time,commit,machine,a time_ns absolute m\nt,c,m,\n' >bad.csv
cannot 3 'no values' import --history bad.db bad.csv

# --- one value that stands out is measured again ---
times head.json ci 14200000.0 14000000.0 2020-01-02
times ref.json ci 10000000.0 10000000.0 2020-01-02
track 0 add --history t.db --commit t29 --reference ref.json --pin v1 head.json
track 4 check --history t.db
out_has 'suspect'
out_has 'measure again'

# --- what does not compare ---
times other.json elsewhere 1 1 2020-01-01
cannot 2 'their times do not compare' add --history t.db --commit x --reference other.json head.json
cannot 2 'is in it already' add --history t.db --commit t29 --reference ref.json --pin v1 head.json
track 0 add --history t.db --commit x other.json # another machine: series of its own
track 4 check --history t.db
out_has 'not measured in the newest commit'

# --- formats, there and back ---
for format in google bencher csv openmetrics; do
  track 0 export --history exact.db --format $format
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
track 0 import --history back.db c6.json
track 0 show --history back.db --json
python3 -c 'import json; d=json.load(open("out.txt")); assert d[0]["values"][0]["value"]==97 and d[0]["kind"]=="exact"' || fail 'back'

# --- files that are none ---
printf '{"benchmarks":[{"name":"a","real_time":1,"cpu_time":1,"time_unit":"ns"}' >cut.json
cannot 2 'cut short' add --history bad.db --commit x cut.json
printf '{"benchmarks":[{"name":"a","real_time":NaN,"cpu_time":1,"time_unit":"ns"}]}' >nan.json
cannot 3 'no positive number' add --history bad.db --commit x nan.json
printf '{"benchmarks":[{"name":"a","real_time":1,"time_unit":"cycles"}]}' >unit.json
cannot 2 "time unit 'cycles'" add --history bad.db --commit x unit.json
cannot 2 'no text file' add --history bad.db --commit x "$program"
cannot 2 'not found' add --history bad.db --commit x no-such-run
cannot 2 'takes a counter in ns' add --history bad.db --commit x --metric hk_switches e.json

# --- databases that are none ---
head -c 5000 /dev/urandom >junk.db
cannot 2 'no history of hkbench' check --history junk.db
sqlite3 other.db 'CREATE TABLE x (y)' 2>/dev/null && cannot 2 'another program' check --history other.db
cp exact.db newer.db
sqlite3 newer.db 'PRAGMA user_version = 99' 2>/dev/null && cannot 2 'use a newer hkbench' check --history newer.db
cp exact.db torn.db
dd if=/dev/urandom of=torn.db bs=4096 seek=1 count=6 conv=notrunc 2>/dev/null
track 2 check --history torn.db
err_has 'damaged\|malformed'

# --- databases that mean no good: refused or read, never followed ---
python3 - <<'PY' || fail 'hostile databases'
import shutil, sqlite3
def make(name, *statements):
    shutil.copy('exact.db', name)
    db = sqlite3.connect(name)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()
endless = "WITH RECURSIVE n(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM n)"
make('view.db', 'ALTER TABLE job RENAME TO hidden',
     "CREATE VIEW job AS " + endless + " SELECT number, 'c' AS revision, 't' AS time, 'm' AS machine, 's' AS source FROM n")
make('far.db', 'PRAGMA foreign_keys=OFF',
     "INSERT INTO job VALUES (4611686018427387904, 'c9', 't', 'm', 's')",
     'INSERT INTO point VALUES (1, 4611686018427387904, 9e999, 0, -1)')
make('kind.db', 'UPDATE series SET kind = 77')
make('text.db', "UPDATE point SET value = 'much'", "UPDATE series SET name = x'00ff' WHERE id = 1")
PY
for db in view far kind text; do
  for command in check show log 'export --format csv' 'export --format openmetrics'; do
    # shellcheck disable=SC2086
    limit_s=20 track '[0-4]' $command --history $db.db
    grep -q 'Sanitizer\|runtime error' err.txt && fail 'a sanitizer speaks'
  done
done

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
track 0 log --history many.db --count 1000
while read -r commit; do
  grep -q " $commit " out.txt || fail "acknowledged and lost: $commit"
done < <(cat acknowledged.*)
e2=$(sqlite3 many.db 'PRAGMA integrity_check' 2>/dev/null || echo ok)
[ "$e2" = ok ] || fail "integrity: $e2"
exit 0
