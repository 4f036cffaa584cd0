#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hkbench list and run: what they print, how they end, and that nothing stays behind.
#
# run.sh PROGRAM
set -u
program=$1
. "$(dirname "$0")/expect.sh"
cell='^native/round_trip/pipe/place:same_core/bytes:64$'

# --- list ---
expect 0 "$program" list
out_has "$cell"
expect 0 "$program" list --full --filter sysv
out_has sysv_msg
for what in experiments transports paths; do expect 0 "$program" list $what; done
for what in cells experiments transports paths; do
  expect 0 "$program" list $what --json
  python3 - "$what" "$tmp/out.txt" <<'PYTHON' || fail "list $what --json"
import json, sys
rows = json.load(open(sys.argv[2]))[sys.argv[1]]
assert rows and all(row["name"] for row in rows)
assert sys.argv[1] != "transports" or all(row["available"] or row["reason"] for row in rows)
PYTHON
done
refused 2 'none of cells' "$program" list nonsense
refused 2 'regular expression' "$program" list --filter '['

# --- arguments ---
refused 2 'regular expression' "$program" run --shared --filter '('
refused 2 'no cell matches' "$program" run --shared --filter no_such_cell
refused 2 'exclude each other' "$program" run --quick --full
for bad in 0 -1 9223372036854775808 1e3 ''; do
  refused 2 'whole number' "$program" run --budget "$bad"
done
refused 2 'by itself' "$program" launch

# --- results that cannot be written ---
refused 2 'cannot write' "$program" run --shared --filter "$cell" --out /proc/results
touch "$tmp/file"
refused 2 'cannot write' "$program" run --shared --filter "$cell" --out "$tmp/file"
if unshare -m true 2>/dev/null; then
  mkdir "$tmp/full"
  unshare -m sh -c "mount -t tmpfs -o size=24k none $tmp/full &&
    timeout 60 $program run --shared --filter '$cell' --out $tmp/full" >"$tmp/out.txt" 2>"$tmp/err.txt"
  [ $? = 2 ] || fail 'a full folder'
  err_has 'space'
fi

# --- a run ---
expect 0 "$program" run --shared --filter "$cell" --out "$tmp/r" --seed 7 --budget 30 --json
out_has '"partial":false'
run=$(sed 's/.*"path":"\([^"]*\)".*/\1/' "$tmp/out.txt")
for file in run.json machine.json launches.jsonl benchmark.json; do
  [ -s "$run/$file" ] || fail "$run has no $file"
done

# --- one CPU: what needs two is unavailable, with the reason, and no error ---
cpu=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')
expect 0 taskset -c "$cpu" "$program" run --shared --budget 30 --out "$tmp/one" \
  --filter 'pipe/place:cross_core/bytes:64$|getppid'
grep -q '"unavailable"' "$tmp"/one/*/*/launches.jsonl || fail 'nothing is unavailable on one CPU'

# --- two at once, and Ctrl-C ---
"$program" run --shared --out "$tmp/two" --budget 60 >"$tmp/first.txt" 2>&1 &
first=$!
for _ in $(seq 100); do
  [ -s "$(echo "$tmp"/two/*/*/launches.jsonl)" ] && break
  sleep 0.1
done
expect 3 "$program" run --filter "$cell" --out "$tmp/two"
err_has 'measuring on this machine'
children=$(pgrep -P $first)
kill -INT $first
wait $first
got=$?
[ $got = 3 ] && grep -q partial "$tmp/first.txt" || fail "status $got: $(cat "$tmp/first.txt")"
for child in $children; do
  [ ! -d /proc/$child ] || fail "process $child is left behind"
done
grep -q '"state": *"partial"' "$tmp"/two/*/*/run.json || fail "$(cat "$tmp"/two/*/*/run.json)"

# --- under linux-perf ---
refused 2 'stat or record' "$program" run --shared --filter "$cell" --perf top
refused 2 'name them with --filter' "$program" run --shared --perf stat
if [ -x /usr/bin/perf ]; then
  expect 0 "$program" run --shared --filter "$cell" --perf stat --budget 30 --out "$tmp/perf"
  grep -q 'context-switches' "$tmp"/perf/*/*/perf/*-0 || fail 'no output of perf'
  grep -q 'perf stat' "$tmp"/perf/*/*/run.json || fail 'perf is not in run.json'
else
  refused 2 'linux-perf' "$program" run --shared --filter "$cell" --perf stat
fi
