#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# predict.sh HKBENCH WRITE_SAMPLE_RUN PRIMITIVES.tsv NATIVE.tsv: predictions from counted primitives and
# timed ones, and what cannot be predicted.
set -u
hkbench=$1
write_sample_run=$2
primitives=$3
timed=$4
workloads=$(dirname "$0")/../../../workloads
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

fail() { echo "FAIL: $*"; head -c 3000 "$tmp/out" "$tmp/err"; exit 1; }
expect() { # status, text on stderr, arguments...
  local want=$1 text=$2 got
  shift 2
  "$hkbench" predict "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
  got=$?
  [ $got = "$want" ] || fail "predict $*: status $got, not $want"
  [ -z "$text" ] || grep -qF -- "$text" "$tmp/err" || fail "predict $*: no '$text'"
  [ "$want" = 0 ] || [ "$(wc -l <"$tmp/err")" = 1 ] || fail "predict $*: not one line"
  grep -qiw 'nan\|inf' "$tmp/out" && fail "predict $*: no number"
  return 0
}
"$write_sample_run" "$tmp/made" >/dev/null || fail 'no sample run'
run=$(dirname "$(find "$tmp/made" -name launches.jsonl)")
expect 3 'count them once with: hkbench run --placements --workload primitives' --out "$tmp/made" desktop
expect 3 'has not the single workloads of the client' --run "$run" desktop

# cells EXPRESSION: the fixture's cells for which awk finds it true, as launches
cells() {
  awk -F '\t' '/^#/ { next } '"$1"' { split("file net block audio timer display print memory", s, " ")
    printf "{\"name\": \"guest/placement/%s/mask:%03d\", \"index\": 0, \"seed\": \"1\", \"state\": \"ok\", \"exactness\": \"exact\", \"counters\": {\"hk_instructions_kernel\": %s, \"hk_instructions_user\": 0", $1, $2, $3
    for (i = 1; i <= 8; i++) printf ", \"hk_requests_%s\": %d", s[i], $(3 + i)
    n = split("latency_instructions_p50 latency_instructions_p90 latency_instructions_p99 wakes lateness_ns_sum lateness_square_sum lateness_change_square_sum lateness_ns_max underruns", l, " ")
    for (i = 1; i <= n; i++) printf ", \"hk_%s\": %s", l[i], $(11 + i)
    print "}, \"series\": {}}" }' "$primitives" >>"$run/launches.jsonl"
}
cp "$run/launches.jsonl" "$tmp/launches"
cells '$1 ~ /^one_/ && $1 !~ /print/'
expect 3 'has not the single workloads of print' --run "$run" desktop
cells '$1 ~ /print/'
expect 3 'has 0 mixed workloads, too few for an interval' --run "$run" desktop
cells '$1 ~ /^mixed/'

# as a newest run below a folder, too
expect 0 '' --out "$tmp/made" file_compile
cp "$tmp/out" "$tmp/first"
expect 0 '' --out "$tmp/made" --run "$run" file_compile
cmp -s "$tmp/out" "$tmp/first" || fail 'the same run gives another text'
grep -q '^mixer' "$tmp/out" && fail 'a mixer that nobody hears'
# as counted: it hardly calls the block service, whose own work is a little cheaper outside
grep -q '^cheapest  251: block ' "$tmp/out" || fail 'the cheapest is not that of the counts'
expect 0 '' --run "$run" --json --place file:kernel,net:server desktop
python3 - "$tmp/out" <<'END' || fail 'the JSON says something else'
import json, sys
p = json.load(open(sys.argv[1]))
g = p["guest"]
assert p["workload"] == "desktop" and len(g["placements"]) == 256
by_mask = {q["mask"]: q for q in g["placements"]}
assert by_mask[255]["servers"] == [] and len(by_mask[0]["servers"]) == 8
assert by_mask[0]["instructions"] > by_mask[255]["instructions"] > 1500
for q in g["placements"]:
    assert q["instructions_lower"] < q["instructions"] < q["instructions_upper"]
    assert abs(q["requests_per_s"] * q["instructions"] - 1e9) < 1
    assert 0 < q["latency_instructions_p50"] <= q["latency_instructions_p90"] <= q["latency_instructions_p99"]
    for p in (50, 90, 99):
        key = "latency_instructions_p%d" % p
        assert q[key + "_lower"] < q[key] < q[key + "_upper"]
    assert q["lateness_ns_lower"] <= q["lateness_ns"] <= q["lateness_ns_upper"] and q["lateness_ns_longest"] > 0
    assert q["jitter_ns_lower"] <= q["jitter_ns"] <= q["jitter_ns_upper"]
    assert q["underrun_probability_lower"] <= q["underrun_probability"] <= q["underrun_probability_upper"] < 0.05
END
[ ! -s "$tmp/err" ] || fail 'something on stderr'

# with a rate: a response, or a queue without end, and never a number that is none
rated() { sed "s/^requests.*/&\nrate_per_s = $1/" "$workloads/sensor_node.ini" >"$tmp/rated.ini"; }
rated 100000
expect 0 '' --run "$run" "$tmp/rated.ini"
grep -q '^cheapest .* 0\.[0-9]* busy, response [0-9]* ns \[[0-9]*, [0-9]*\]' "$tmp/out" || fail 'no response'
grep -q '^not predicted: how far off M/G/1 is on this machine: no judged run .*hkbench validate' "$tmp/out" ||
  fail 'waits that nobody judged'
rated 900000
expect 0 '' --run "$run" "$tmp/rated.ini"
grep -q '^cheapest .* [1-9][0-9.]* busy: no response, the queue grows without end' "$tmp/out" || fail 'overload'
expect 0 '' --run "$run" --json "$tmp/rated.ini"
grep -q '"response_ns"' "$tmp/out" && fail 'a response under overload'

# what no run carries is said, with what measures it
grep -q 'time of crossings: .*hkbench run --quick' "$tmp/out" || fail 'crossings are not refused'
expect 0 '' --run "$run" audio_workstation
grep -q '^mixer     in the guest, period 100 us, late by more than 200 us' "$tmp/out" || fail 'no mixer in the guest'
grep -q '^server    247: .* jitter *[0-9]* ns \[' "$tmp/out" || fail 'no jitter of the mixer in a server'
grep -q '^not predicted: jitter and underruns: .*hkbench run --quick' "$tmp/out" || fail 'audio is not refused'
"$write_sample_run" "$tmp/native" >/dev/null || fail 'no second sample run'
native=$(dirname "$(find "$tmp/native" -name launches.jsonl)")
python3 - >"$native/launches.jsonl" <<'END'
import json, random
random.seed(7)
def launch(name, index, counters, series):
    print(json.dumps({"name": name, "index": index, "seed": "1", "state": "ok", "exactness": "timed",
                      "counters": counters, "series": series}))
for i in range(6):
    for b in (1, 4096, 16384, 65536):
        for name, hops in (("round_trip/pipe/place:same_core", 2), ("chain/pipe/place:same_core/servers:1", 2),
                           ("chain/pipe/place:same_core/servers:2", 4.4)):
            launch(f"native/{name}/bytes:{b}", i, {"cost_ns": hops * (2000 + b * 0.1 + random.random())}, {})
    launch("native/syscall/pipe_self/bytes:64", i, {"cost_ns": 600 + random.random()}, {})
    launch("native/queue/pipe/place:cross_core/policy:fifo/law:exponential/rho_percent:50/service_us:200", i,
           {"wait_ns": 210000, "service_ns": 200000, "service_cv2": 1, "work_ns": 200000, "arrivals_per_s": 2500,
            "arrival_cv2": 1, "dispatch_ns": 20000, "dispatch_cv2": 0.1},
           {"request_gap_ns": [400000] * 9, "request_work_ns": [200000] * 9})
    launch("native/wakeup/device/policy:fifo/load:idle/period_us:1000/inject_us:0/record:lateness", i, {},
           {"lateness_ns": [2000 + random.expovariate(1 / 20000) for _ in range(500)]})
END
expect 0 '' --run "$run" --native "$native" audio_workstation
grep -q '^native    F3 over pipe.*c_sys 300 ns, c_ipc 2000 ns, hop among three spaces 220[0-9] ns' "$tmp/out" ||
  fail 'the costs of crossings'
rated 100000
expect 0 '' --run "$run" --native "$native" "$tmp/rated.ini"
grep -q '^not predicted: how far off M/G/1' "$tmp/out" || fail 'waits before they are judged'
"$hkbench" fit "$native" >/dev/null 2>"$tmp/err" && "$hkbench" validate "$native" >/dev/null 2>"$tmp/err" ||
  fail 'the queues are not judged'
expect 0 '' --run "$run" --native "$native" "$tmp/rated.ini"
grep -q 'dispatch included, it is [1-9][0-9.]* % off in the median of 1 queues' "$tmp/out" || fail 'no judged waits'
expect 0 '' --run "$run" --native "$native" audio_workstation
grep -q '^  jitter     2[0-9]\.[0-9]* us \[' "$tmp/out" || fail 'no jitter'
grep -q '^  underruns  .*per period \[' "$tmp/out" || fail 'no underruns'
expect 0 '' --run "$run" --native "$native" --transport fax desktop
grep -q 'not predicted: time of crossings: .* over fax' "$tmp/out" || fail 'an unknown transport'
expect 2 '' --run "$run" --native "$tmp/none" desktop

# a whole request on this machine: in process without costs of crossings, in servers with them
expect 0 '' --run "$run" --native "$native" desktop
grep -q '^not predicted: time of a whole request: .*hkbench run --full --filter native/workload' "$tmp/out" ||
  fail 'a total without bodies'
cp "$native/launches.jsonl" "$tmp/crossings"
bodies() { # EXPRESSION of awk
  awk -F '\t' '/^#/ { next } '"$1"' { printf "{\"name\": \"native/workload/%s%s/servers:%s\", \"index\": 0, \"seed\": \"1\", \"state\": \"ok\", \"exactness\": \"timed\", \"counters\": {\"mean_ns\": %s}, \"series\": {}}\n", $1, ($2 > 0 ? "/over:pipe" : ""), $2, $4 }' "$timed"
}
bodies '1' >"$native/launches.jsonl"
expect 0 '' --run "$run" --native "$native" desktop
grep -q '^in process 255: monolith .* us  \[.*\]  measured 0\.[0-9]* us$' "$tmp/out" || fail 'no total in process'
grep -q '^servers  ' "$tmp/out" && fail 'servers without costs of crossings'
grep -q '^not predicted: time of a whole request with servers: no costs of crossings' "$tmp/out" || fail 'servers are not refused'
bodies '1' >>"$tmp/crossings"
cp "$tmp/crossings" "$native/launches.jsonl"
expect 0 '' --run "$run" --native "$native" --place file:server,net:server desktop
grep -q '^servers    000: .* us  \[.* %  measured 4[0-9.]* us$' "$tmp/out" || fail 'no total in servers'
grep -q '^           tried on 20 cells of workloads that nothing was fitted on: .* inside$' "$tmp/out" || fail 'not tried'
[ "$(grep -c ' us  \[' "$tmp/out")" -ge 10 ] || fail 'services alone in servers'
expect 0 '' --run "$run" --native "$native" --json desktop
python3 - "$tmp/out" <<'END' || fail 'the JSON has other totals'
import json, sys
p = json.load(open(sys.argv[1]))
t = p["totals"]
assert t["transport"] == "pipe" and t["single_cells_count"] == 56 and t["tried"]["cells_count"] == 20
assert t["in_process"]["mixed_count"] == t["in_servers"]["mixed_count"] == 24
for q in p["guest"]["placements"]:
    assert 0 < q["total_ns_lower"] < q["total_ns"] < q["total_ns_upper"]
by_mask = {q["mask"]: q["total_ns"] for q in p["guest"]["placements"]}
assert by_mask[255] < by_mask[254] < by_mask[0]
END
bodies '$1 !~ /one_print/' >"$native/launches.jsonl"
expect 0 '' --run "$run" --native "$native" desktop
grep -q '^not predicted: time of a whole request: .* single workloads of print natively' "$tmp/out" || fail 'bodies of print'
bodies '$1 !~ /mixed_[bc]/' >"$native/launches.jsonl"
expect 0 '' --run "$run" --native "$native" desktop
grep -q '^not predicted: time of a whole request: .* too few mixed workloads in process' "$tmp/out" || fail 'no margin'

# the newest native run is this machine's: another's is named, or not taken
expect 0 '' --run "$run" --out "$tmp/native" audio_workstation
grep -q "time of crossings: no run of this machine under '$tmp/native'" "$tmp/out" || fail "another's crossings"
grep -q "no lateness of .* of this machine under '$tmp/native'" "$tmp/out" || fail "another's lateness"

for place in mask:190 hybrid monolithic microkernel file:kernel,print:kernel; do
  expect 0 '' --run "$run" --place "$place" sensor_node
done
grep -q '^--place   255: monolith' "$tmp/out" || fail 'two services moved back are not the monolith'
expect 2 "not 'mask:256'" --run "$run" --place mask:256 desktop
expect 2 "not 'fax:server'" --run "$run" --place fax:server desktop
expect 2 'each at most once' --run "$run" --place file:server,file:kernel desktop
expect 2 'a WORKLOAD is missing'
expect 2 'moon.ini: cannot be opened' --run "$run" moon
expect 2 '' --run "$tmp/none" desktop

bad() { # text on stderr, line of the file...
  local text=$1
  shift
  printf '%s\n' '[workload]' 'seed = 7' 'requests = 60' "$@" >"$tmp/own.ini"
  expect 2 "$text" --run "$run" "$tmp/own.ini"
}
bad 'no such section' '[fax.send]' 'weight = 1'
bad 'own.ini:4: neither [section] nor key' 'whatever' '[file.stat]' 'weight = 1'
bad 'must be a whole number' '[file.stat]' 'weight = 1e3'

# another hkbench's primitives
sed 's/\("hk_requests_net": \)[1-9][0-9]*/\17/' "$run/launches.jsonl" >"$tmp/other"
cp "$tmp/other" "$run/launches.jsonl"
expect 3 "is another workload than this hkbench's" --run "$run" desktop
printf '{"name": "guest/pl\n{}\n' >"$run/launches.jsonl"
expect 2 '' --run "$run" desktop
