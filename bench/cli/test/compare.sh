#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# compare.sh HKBENCH SAMPLE_RUN: every exit status and every kind of input of `hkbench compare`.
# Times are made up, so that nothing depends on this machine's speed.
set -u
hkbench=$1 sample=$2
. "$(dirname "$0")/expect.sh"
compare() { expect "$1" "$hkbench" compare "${@:3}" && has -e "$2"; } # status, text, arguments...

# A program of Google Benchmark, made up: rows name:time:unit.
rows() { # host, rows...
  local host=$1 separator='' row
  shift
  printf '{"context": {"host_name": "%s", "num_cpus": 2}, "benchmarks": [' "$host"
  for row in "$@"; do
    IFS=: read -r name time unit <<<"$row"
    printf '%s{"name": "%s", "run_name": "%s", "run_type": "iteration", "real_time": %s, "cpu_time": 1, "time_unit": "%s"}' \
      "$separator" "$name" "$name" "$time" "$unit"
    separator=,
  done
  printf ']}\n'
}

# --- usage ---
compare 2 'side A is missing'
compare 2 'side B is missing' "$tmp"
compare 2 'exclude each other' --json --markdown "$tmp" "$tmp"
compare 2 'percent from 0' --bound nonsense "$tmp" "$tmp"
compare 2 'percent from 0' --drift -1 "$tmp" "$tmp"
compare 2 'regular expression' --filter '[' "$tmp" "$tmp"
compare 2 'not found' "$tmp/none" "$tmp/none"
compare 2 'neither a run of hkbench' "$tmp" "$tmp"
compare 2 'name both with' --a true "$tmp"
compare 2 '--accept writes counts' --accept "$tmp" "$tmp"
compare 2 'both say what B is' --guest --b x "$tmp"
compare 2 'no kernel image that can be read' "$tmp" --b "$tmp/none.elf" --accept

# --- a run with itself, and with another machine's ---
run=$("$sample" "$tmp/runs") || fail 'no sample run'
cp -r "$run" "$tmp/copy"
compare 4 'not measured in turns' "$run" "$tmp/copy"
sed -i 's/"id": *"[^"]*"/"id": "other-cpu"/' "$tmp/copy/machine.json"
sed -i 's/"machine": *"[^"]*"/"machine": "other-cpu"/' "$tmp/copy/run.json"
compare 4 'do not compare' "$run" "$tmp/copy"

# --- files: units, one launch each, drift ---
mkdir "$tmp/a" "$tmp/b" "$tmp/c"
i=0
for wobble in 03 11 07 01 09 05 12 02; do
  i=$((i + 1))
  rows h "x:1.0$wobble:ms" "y:25$wobble:ns" >"$tmp/a/$i.json"
  rows h "x:1.0${wobble}9e6:ns" "y:25${wobble}.1:ns" >"$tmp/b/$i.json"
  rows h "x:12$wobble.5:us" "y:0.0000025$wobble:s" >"$tmp/c/$i.json"
done
compare 0 'SAME: 0 slower, 0 faster, 2 same' --paired "$tmp/a" "$tmp/b"
compare 1 '^SLOWER   x ' --paired "$tmp/a" "$tmp/c"
out_has '^SAME     y '
compare 0 '^FASTER   x ' --paired "$tmp/c" "$tmp/a"
compare 4 'too few (10)' "$tmp/a" "$tmp/c"
compare 1 'drift of 1 % as given' --drift 1 "$tmp/a" "$tmp/c"
compare 4 'needs 3 on both sides' "$tmp/a/1.json" "$tmp/c/1.json"
compare 1 '"verdict": "SLOWER"' --paired --json "$tmp/a" "$tmp/c"
compare 1 '| SLOWER | `x` | time' --paired --markdown "$tmp/a" "$tmp/c"
rows elsewhere x:1:ms y:2:ms >"$tmp/other.json"
compare 4 'do not compare' "$tmp/a" "$tmp/other.json"
cp "$tmp/other.json" "$tmp/b/9.json"
compare 2 'do not compare' "$tmp/a" "$tmp/b"
rows h z:1:ms >"$tmp/disjoint.json"
compare 3 'no measured cell in common' "$tmp/a/1.json" "$tmp/disjoint.json"

# --- damaged and foreign files: refused with a reason ---
spoil() { # text of the message, contents
  printf '%b' "$2" >"$tmp/bad.json"
  compare 2 "$1" "$tmp/a/1.json" "$tmp/bad.json"
}
head -c 150 "$tmp/a/1.json" >"$tmp/bad.json"
compare 2 'cut short' "$tmp/a/1.json" "$tmp/bad.json"
spoil 'bad.json' ''
spoil 'bad.json' '\0\0\0'
spoil "benchmarks" '{}'
spoil 'bad.json' '{"benchmarks": [{"name": "x"}]}'
spoil 'bad.json' "$(rows h x:1:cycles)"
row='"name": "x", "real_time": 1, "cpu_time": 1, "time_unit": "ns", "repetition_index": 0'
spoil 'bad.json' "{\"benchmarks\": [{$row, \"family_index\": 0}, {$row, \"family_index\": 1}]}"
rows h x:NaN:ns y:2:ns >"$tmp/bad.json"
compare 4 'no launch of B holds' "$tmp/a/1.json" "$tmp/bad.json"
printf 'h\nbroken\n' >"$run/functions.tsv"
compare 2 'functions.tsv: line 2' "$run" "$run"

# --- measured now, from made-up programs ---
cat >"$tmp/program" <<'END'
#!/usr/bin/env bash
# program TIME: one benchmark of about TIME us, never twice the same
echo "this is no JSON" >&2
printf '{"benchmarks": [{"name": "x", "run_name": "x", "real_time": %s.%03d, "cpu_time": 1, "time_unit": "us"}]}' \
  "$1" $((RANDOM % 1000))
END
chmod +x "$tmp/program"
now=(--shared --launches 8 --looks 1)
compare 1 'confirmed by' "${now[@]}" --a "$tmp/program 100" --b "$tmp/program 110"
compare 0 '^SAME     x' "${now[@]}" --a "$tmp/program 100" --b "$tmp/program 100"
compare 0 '^FASTER   x' "${now[@]}" --a "$tmp/program 110" --b "$tmp/program 100"
compare 4 '^UNKNOWN  x' "${now[@]}" --a "$tmp/program 3" --b "$tmp/program 3"
compare 2 'run it by itself' "${now[@]}" --a "$tmp/program 100" --b "exit 7"
compare 2 'cut short' "${now[@]}" --a "$tmp/program 100" --b "echo '{\"benchmarks\": ['"
compare 3 'neither side measured' "${now[@]}" --launches 6 --filter none --a "$tmp/program 1" --b "$tmp/program 1"

# quantiles and underruns that a program reports as counters are judged too
cat >"$tmp/tails" <<'END'
#!/usr/bin/env bash
# tails P99 UNDERRUNS: the same time always, a 99 % quantile of about P99, UNDERRUNS in 1000 periods
printf '{"benchmarks": [{"name": "x", "run_name": "x", "real_time": 100.%03d, "cpu_time": 1, "time_unit": "us", "hk_latency_ns_p50": 90.%03d, "hk_latency_ns_p99": %s.%03d, "hk_underruns": %s, "hk_wakeups": 1000}]}' \
  $((RANDOM % 1000)) $((RANDOM % 1000)) "$1" $((RANDOM % 1000)) $2
END
chmod +x "$tmp/tails"
tails=("${now[@]}" --launches 14)
compare 1 '^SLOWER   x  *p99 ' "${tails[@]}" --a "$tmp/tails 200 2" --b "$tmp/tails 260 2"
out_has '^SAME     x  *time '
out_has '^SAME     x  *p50 '
out_has 'confirmed by 14 fresh'
compare 1 '^SLOWER   x  *underruns ' "${tails[@]}" --a "$tmp/tails 200 1" --b "$tmp/tails 200 6"
compare 0 '^UNKNOWN  x  *underruns ' "${tails[@]}" --a "$tmp/tails 200 1" --b "$tmp/tails 200 1"

# A slowdown of the first launches alone is not confirmed.
cat >"$tmp/passing" <<'END'
#!/usr/bin/env bash
# passing COUNTER PROGRAM: slower in its first 8 launches
echo >>"$1"
[ "$(wc -l <"$1")" -le 8 ] && exec "$2" 120
exec "$2" 100
END
chmod +x "$tmp/passing"
compare 4 'not confirmed' "${now[@]}" --a "$tmp/program 100" --b "$tmp/passing $tmp/count $tmp/program"

# any command, by its wall time
compare 1 '^SLOWER   command/wall' "${now[@]}" --a 'true' --b 'sleep 0.15'
# one that takes its time is waited for
compare 0 '^FASTER   command/wall' "${now[@]}" --launches 6 --a 'sleep 0.9' --b 'true'

# two builds: epochs in turns; what is said of the times depends on the machine, that it ends does
# not. On a busy one a round trip may switch more often than it claims, and then gives no value.
builds=("${now[@]}" --launches 6 --a "$hkbench" --b "$hkbench")
limit_s=200
expect '[014]' "$hkbench" compare "${builds[@]}" --rounds 6 --json \
  --filter '^native/(syscall/(getppid|tmpfs_pread)|round_trip/pipe/place:same_core/bytes:64$)'
out_has '"launches_a": 6'
for quantity in time p50 p90; do
  [ "$(grep -c "\"quantity\": \"$quantity\"" "$tmp/out.txt")" -ge 2 ] || fail "two builds: no $quantity"
done
# a cell that measures by itself: launches in turns
expect '[014]' "$hkbench" compare "${builds[@]}" --filter '^native/inject_syscall/.*bytes:64$'
out_has 'inject_syscall.* paired 6/6'
compare 2 'no cell matches' "${now[@]}" --a "$hkbench" --b "$hkbench" --filter no_such_cell

# Ctrl-C ends it, and nothing stays behind
"$hkbench" compare --shared --a "$hkbench" --b "$hkbench" >"$tmp/out.txt" 2>"$tmp/err.txt" &
pid=$!
for _ in $(seq 100); do [ -n "$(pgrep -P $pid)" ] && break; sleep 0.05; done
children=$(pgrep -P $pid)
kill -INT $pid
wait $pid
[ $? = 3 ] || fail 'interrupted'
for child in $children; do [ ! -d /proc/$child ] || fail "process $child is left behind"; done
exit 0
