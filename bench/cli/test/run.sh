#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hkbench list and run: what they print, how they end, and that nothing stays behind.
#
# run.sh PROGRAM
set -u
program=$1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cell='^native/round_trip/pipe/place:same_core/bytes:64$'

expect() { # status, text on stderr, arguments...
  local want=$1 text=$2 got
  shift 2
  timeout 100 "$program" "$@" >"$tmp/out.txt" 2>"$tmp/err.txt"
  got=$?
  [ "$got" = "$want" ] || { echo "hkbench $*: status $got, not $want"; cat "$tmp"/*.txt; exit 1; }
  [ -z "$text" ] || grep -q -- "$text" "$tmp/err.txt" ||
    { echo "hkbench $*: no '$text' in:"; cat "$tmp/err.txt"; exit 1; }
}

# --- list ---
expect 0 '' list
grep -q "$cell" "$tmp/out.txt" || { echo "the pipe is not listed"; exit 1; }
expect 0 '' list --full --filter sysv
grep -q sysv_msg "$tmp/out.txt" || { echo "sysv_msg is not listed"; exit 1; }
for what in experiments transports paths; do expect 0 '' list $what; done
for what in cells experiments transports paths; do
  expect 0 '' list $what --json
  python3 - "$what" "$tmp/out.txt" <<'PYTHON' || { echo "list $what --json"; exit 1; }
import json, sys
rows = json.load(open(sys.argv[2]))[sys.argv[1]]
assert rows and all(row["name"] for row in rows)
assert sys.argv[1] != "transports" or all(row["available"] or row["reason"] for row in rows)
PYTHON
done
expect 2 'none of cells' list nonsense
expect 2 'regular expression' list --filter '['

# --- arguments ---
expect 2 'regular expression' run --shared --filter '('
expect 2 'no cell matches' run --shared --filter no_such_cell
expect 2 'exclude each other' run --quick --full
for bad in 0 -1 9223372036854775808 1e3 ''; do expect 2 'whole number' run --budget "$bad"; done
expect 2 'by itself' launch </dev/null

# --- results that cannot be written ---
expect 2 'cannot write' run --shared --filter "$cell" --out /proc/results
touch "$tmp/file"
expect 2 'cannot write' run --shared --filter "$cell" --out "$tmp/file"
if unshare -m true 2>/dev/null; then
  mkdir "$tmp/full"
  unshare -m sh -c "mount -t tmpfs -o size=24k none $tmp/full &&
    timeout 60 $program run --shared --filter '$cell' --out $tmp/full" >"$tmp/out.txt" 2>"$tmp/err.txt"
  [ $? = 2 ] && grep -q 'space' "$tmp/err.txt" || { echo "a full folder:"; cat "$tmp"/*.txt; exit 1; }
fi

# --- a run ---
expect 0 '' run --shared --filter "$cell" --out "$tmp/r" --seed 7 --budget 30 --json
grep -q '"partial":false' "$tmp/out.txt" || { cat "$tmp/out.txt"; exit 1; }
run=$(sed 's/.*"path":"\([^"]*\)".*/\1/' "$tmp/out.txt")
for file in run.json machine.json launches.jsonl benchmark.json; do
  [ -s "$run/$file" ] || { echo "$run has no $file"; exit 1; }
done

# --- one CPU: what needs two is unavailable, with the reason, and no error ---
cpu=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')
taskset -c "$cpu" "$program" run --shared --budget 30 --out "$tmp/one" \
  --filter 'pipe/place:cross_core/bytes:64$|getppid' >"$tmp/out.txt" 2>"$tmp/err.txt"
[ $? = 0 ] && grep -q '"unavailable"' "$tmp"/one/*/*/launches.jsonl ||
  { echo "on one CPU:"; cat "$tmp"/*.txt; exit 1; }

# --- two at once, and Ctrl-C ---
"$program" run --shared --out "$tmp/two" --budget 60 >"$tmp/first.txt" 2>&1 &
first=$!
for _ in $(seq 100); do
  [ -s "$(echo "$tmp"/two/*/*/launches.jsonl)" ] && break
  sleep 0.1
done
expect 3 'measuring on this machine' run --filter "$cell" --out "$tmp/two"
children=$(pgrep -P $first)
kill -INT $first
wait $first
got=$?
[ $got = 3 ] && grep -q partial "$tmp/first.txt" || { echo "status $got"; cat "$tmp/first.txt"; exit 1; }
for child in $children; do
  [ ! -d /proc/$child ] || { echo "process $child is left behind"; exit 1; }
done
grep -q '"state": *"partial"' "$tmp"/two/*/*/run.json || { cat "$tmp"/two/*/*/run.json; exit 1; }

# --- under linux-perf ---
expect 2 'stat or record' run --shared --filter "$cell" --perf top
expect 2 'name them with --filter' run --shared --perf stat
if [ -x /usr/bin/perf ]; then
  expect 0 '' run --shared --filter "$cell" --perf stat --budget 30 --out "$tmp/perf"
  grep -q 'context-switches' "$tmp"/perf/*/*/perf/*-0 || { echo "no output of perf"; exit 1; }
  grep -q 'perf stat' "$tmp"/perf/*/*/run.json || { echo "perf is not in run.json"; exit 1; }
else
  expect 2 'linux-perf' run --shared --filter "$cell" --perf stat
fi
