#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hkbench-gbench: flags reach Google Benchmark, every benchmark runs once, exit statuses hold.
#
# gbench_suite.sh PROGRAM
set -u
program=$1
. "$(dirname "$0")/expect.sh"
cd "$tmp" || exit 1

"$program" --benchmark_list_tests >names.txt 2>err.txt
if grep -q 'built without Google Benchmark' err.txt; then cat err.txt; exit 77; fi
grep -qx 'native/null' names.txt || fail 'the null row is not listed'
if [ -n "$(grep -v '^native/' names.txt)" ] || [ -n "$(sort names.txt | uniq -d)" ]; then
  fail "a name is doubled or not of this world: $(sort names.txt | uniq -d)"
fi

expect 0 "$program" --benchmark_min_time=0.0001 --benchmark_out=all.json
rows=$(grep -c '"run_type": "iteration"' all.json)
[ "$rows" = "$(wc -l <names.txt)" ] || fail "$rows rows for $(wc -l <names.txt) names"
grep -q '"hkbench_version":' all.json || fail 'no version in the context'

expect 0 "$program" --version
expect 2 "$program" --nonsense
err_has "unknown argument '--nonsense'"
expect 2 "$program" --benchmark_filter=no_such_thing
expect 2 "$program" --benchmark_filter=native/null --benchmark_out=/nonexistent/out.json
expect 2 "$program" --benchmark_filter=native/null --benchmark_min_time=0.001 --benchmark_out=/dev/full
# Every row has the same counters: CSV output aborts otherwise.
expect 0 "$program" --benchmark_min_time=0.0001 --benchmark_format=csv

[ -e /proc/$$/task/$$/children ] || exit 0 # a kernel that does not list children
# A server killed in the middle: the row fails with a reason, the status says so, nobody is left.
# No leak check there: its tracer is a child too, and the program waits for a killed one for ever.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 \
  "$program" --benchmark_filter='round_trip/pipe/place:same_core/bytes:8/' --benchmark_min_time=3 \
  --benchmark_out=killed.json >out.txt 2>err.txt &
client=$!
for _ in $(seq 200); do # a kill may meet a server that is just ending in order
  sleep 0.05
  [ -d /proc/$client ] || break
  server=$(cut -d' ' -f1 /proc/$client/task/$client/children 2>/dev/null)
  [ -z "$server" ] || kill -KILL "$server" 2>/dev/null
done
wait $client
got=$?
[ $got = 3 ] || fail "status $got after its server was killed"
# On a busy machine the server may be killed before it is there at all: that ends by a time limit.
grep -q '"error_message": "\(the peer is gone\|timed out\)"' killed.json || { cat killed.json; exit 1; }
