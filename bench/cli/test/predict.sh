#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# predict.sh HKBENCH WRITE_SAMPLE_RUN PRIMITIVES.tsv NATIVE.tsv: predictions from counted primitives and
# timed ones, and what cannot be predicted.
set -u
hkbench=$1 write_sample_run=$2 primitives=$3 timed=$4
workloads=$(dirname "$0")/../../../workloads
. "$(dirname "$0")/expect.sh"
predict() {
  expect 0 "$hkbench" predict "$@"
  grep -iw 'nan\|inf' "$tmp/out.txt" && fail 'no number'
  return 0
}
cannot() { refused "$1" "$2" "$hkbench" predict "${@:3}"; } # status, text, arguments...
run=$("$write_sample_run" "$tmp/made") || fail 'no sample run'
cannot 3 'count them once with: hkbench run --placements --workload primitives' --out "$tmp/made" desktop
cannot 3 'has not the single workloads of the client' --run "$run" desktop

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
cannot 3 'has not the single workloads of print' --run "$run" desktop
cells '$1 ~ /print/'
cannot 3 'has 0 mixed workloads, too few for an interval' --run "$run" desktop
cells '$1 ~ /^mixed/'

# as a newest run below a folder, too
predict --out "$tmp/made" file_compile
cp "$tmp/out.txt" "$tmp/first"
predict --out "$tmp/made" --run "$run" file_compile
cmp -s "$tmp/out.txt" "$tmp/first" || fail 'the same run gives another text'
grep -q '^mixer' "$tmp/out.txt" && fail 'a mixer that nobody hears'
# as counted: it hardly calls the block service, whose own work is a little cheaper outside
out_has '^cheapest  251: block '
predict --run "$run" --json --place file:kernel,net:server desktop
python3 - "$tmp/out.txt" <<'END' || fail 'the JSON says something else'
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
[ ! -s "$tmp/err.txt" ] || fail 'something on stderr'

# with a rate: a response, or a queue without end, and never a number that is none
rated() { sed "s/^requests.*/&\nrate_per_s = $1/" "$workloads/sensor_node.ini" >"$tmp/rated.ini"; }
rated 100000
predict --run "$run" "$tmp/rated.ini"
out_has '^cheapest .* 0\.[0-9]* busy, response [0-9]* ns \[[0-9]*, [0-9]*\]'
out_has '^not predicted: how far off M/G/1 is on this machine: no judged run .*hkbench validate'
rated 900000
predict --run "$run" "$tmp/rated.ini"
out_has '^cheapest .* [1-9][0-9.]* busy: no response, the queue grows without end'
predict --run "$run" --json "$tmp/rated.ini"
grep -q '"response_ns"' "$tmp/out.txt" && fail 'a response under overload'

# what no run carries is said, with what measures it
out_has 'time of crossings: .*hkbench run --quick'
predict --run "$run" audio_workstation
out_has '^mixer     in the guest, period 100 us, late by more than 200 us'
out_has '^server    247: .* jitter *[0-9]* ns \['
out_has '^not predicted: jitter and underruns: .*hkbench run --quick'
native=$("$write_sample_run" "$tmp/native") || fail 'no second sample run'
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
predict --run "$run" --native "$native" audio_workstation
out_has '^native    F3 over pipe.*c_sys 300 ns, c_ipc 2000 ns, hop among three spaces 220[0-9] ns'
rated 100000
predict --run "$run" --native "$native" "$tmp/rated.ini"
out_has '^not predicted: how far off M/G/1'
expect 0 "$hkbench" fit "$native"
expect 0 "$hkbench" validate "$native"
predict --run "$run" --native "$native" "$tmp/rated.ini"
out_has 'dispatch included, it is [1-9][0-9.]* % off in the median of 1 queues'
predict --run "$run" --native "$native" audio_workstation
out_has '^  jitter     2[0-9]\.[0-9]* us \['
out_has '^  underruns  .*per period \['
predict --run "$run" --native "$native" --transport fax desktop
out_has 'not predicted: time of crossings: .* over fax'
cannot 2 '' --run "$run" --native "$tmp/none" desktop

# a whole request on this machine: in process without costs of crossings, in servers with them
predict --run "$run" --native "$native" desktop
out_has '^not predicted: time of a whole request: .*hkbench run --full --filter native/workload'
cp "$native/launches.jsonl" "$tmp/crossings"
bodies() { # EXPRESSION of awk
  awk -F '\t' '/^#/ { next } '"$1"' { printf "{\"name\": \"native/workload/%s%s/servers:%s\", \"index\": 0, \"seed\": \"1\", \"state\": \"ok\", \"exactness\": \"timed\", \"counters\": {\"mean_ns\": %s}, \"series\": {}}\n", $1, ($2 > 0 ? "/over:pipe" : ""), $2, $4 }' "$timed"
}
bodies '1' >"$native/launches.jsonl"
predict --run "$run" --native "$native" desktop
out_has '^in process 255: monolith .* us  \[.*\]  measured 0\.[0-9]* us$'
grep -q '^servers  ' "$tmp/out.txt" && fail 'servers without costs of crossings'
out_has '^not predicted: time of a whole request with servers: no costs of crossings'
bodies '1' >>"$tmp/crossings"
cp "$tmp/crossings" "$native/launches.jsonl"
predict --run "$run" --native "$native" --place file:server,net:server desktop
out_has '^servers    000: .* us  \[.* %  measured 4[0-9.]* us$'
out_has '^           tried on 20 cells of workloads that nothing was fitted on: .* inside$'
[ "$(grep -c ' us  \[' "$tmp/out.txt")" -ge 10 ] || fail 'services alone in servers'
predict --run "$run" --native "$native" --json desktop
python3 - "$tmp/out.txt" <<'END' || fail 'the JSON has other totals'
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
predict --run "$run" --native "$native" desktop
out_has '^not predicted: time of a whole request: .* single workloads of print natively'
bodies '$1 !~ /mixed_[bc]/' >"$native/launches.jsonl"
predict --run "$run" --native "$native" desktop
out_has '^not predicted: time of a whole request: .* too few mixed workloads in process'

# the newest native run is this machine's: another's is named, or not taken
predict --run "$run" --out "$tmp/native" audio_workstation
out_has "time of crossings: no run of this machine under '$tmp/native'"
out_has "no lateness of .* of this machine under '$tmp/native'"

for place in mask:190 hybrid monolithic microkernel file:kernel,print:kernel; do
  predict --run "$run" --place "$place" sensor_node
done
out_has '^--place   255: monolith'
cannot 2 "not 'mask:256'" --run "$run" --place mask:256 desktop
cannot 2 "not 'fax:server'" --run "$run" --place fax:server desktop
cannot 2 'each at most once' --run "$run" --place file:server,file:kernel desktop
cannot 2 'a WORKLOAD is missing'
cannot 2 'moon\.ini: cannot be opened' --run "$run" moon
cannot 2 '' --run "$tmp/none" desktop

bad() { # text on stderr, line of the file...
  local text=$1
  shift
  printf '%s\n' '[workload]' 'seed = 7' 'requests = 60' "$@" >"$tmp/own.ini"
  cannot 2 "$text" --run "$run" "$tmp/own.ini"
}
bad 'no such section' '[fax.send]' 'weight = 1'
bad 'own\.ini:4: neither \[section] nor key' 'whatever' '[file.stat]' 'weight = 1'
bad 'must be a whole number' '[file.stat]' 'weight = 1e3'

# another hkbench's primitives
sed 's/\("hk_requests_net": \)[1-9][0-9]*/\17/' "$run/launches.jsonl" >"$tmp/other"
cp "$tmp/other" "$run/launches.jsonl"
cannot 3 "is another workload than this hkbench's" --run "$run" desktop
printf '{"name": "guest/pl\n{}\n' >"$run/launches.jsonl"
cannot 2 '' --run "$run" desktop
