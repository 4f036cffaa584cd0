#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# placements.sh HKBENCH: workloads in some placements, counted exactly; and what cannot be run.
set -u
hkbench=$1
command -v qemu-system-x86_64 >/dev/null || { echo "skipped: qemu-system-x86_64 is not installed (Debian: qemu-system-x86)"; exit 77; }
. "$(dirname "$0")/expect.sh"
run() { expect 0 "$hkbench" run --shared "$@"; }
cannot() { refused 2 "$1" "$hkbench" run --shared --out "$tmp/none" "${@:2}"; } # text, arguments...
cannot 'exclude each other' --guest --placements
cannot '--workload is for --placements' --workload desktop
cannot 'leave out --quick' --placements --quick
cannot 'moon\.ini: cannot be opened' --placements --workload moon
cannot 'a name has 1 to 31' --placements --workload 'a b'
cannot 'is named twice' --placements --workload desktop,desktop
cannot 'at most 80' --placements --workload "$(seq -s, 81 | sed 's/[0-9][0-9]*/desktop/g')"
cannot 'wanted' --placements --filter moon
printf '[workload]\nrequests = 20\n[file.reed]\n weight = 1\n' >"$tmp/bad.ini"
cannot 'no such section' --placements --workload "$tmp/bad.ini"
[ ! -e "$tmp/none" ] || fail 'a refused run left a folder'

# Two placements of all workloads, and a file of the user's own.
printf '[workload]\nseed = 1\nrequests = 5\n[net.exchange]\nweight = 1\nbytes_max = 99\n' >"$tmp/own.ini"
run --placements --out "$tmp/out" --filter 'mask:(000|255)$' \
  --workload "audio_workstation,desktop,file_compile,sensor_node,web_server,$tmp/own.ini"
out_has '^12 cells exact, 0 near'
lines=$(cat "$tmp"/out/*/*/launches.jsonl)
for name in web_server/mask:000 web_server/mask:255 audio_workstation/mask:000 own/mask:255; do
  grep -q "\"guest/placement/$name\"" <<<"$lines" || fail "no cell $name"
done
# the microkernel crosses spaces where the monolith does not
cost() { grep -m1 "placement/web_server/mask:$1" <<<"$lines" | sed -n 's/.*"hk_cr3_writes": *\([0-9.]*\).*/\1/p'; }
awk -v a="$(cost 000)" -v b="$(cost 255)" 'BEGIN { exit !(a > 2 && b < 0.5) }' ||
  fail "address spaces are switched $(cost 000) and $(cost 255) times a request"

# More than a boot has room for; and half of them, but not the other half, in one placement.
for i in $(seq 9); do cp "$tmp/own.ini" "$tmp/own$i.ini"; done
run --placements --out "$tmp/many" --filter 'own[89]/mask:255|own1/mask:000' \
  --workload "$(seq -f "$tmp/own%g.ini" -s, 9)"
out_has '^3 cells exact'
[ "$(grep -oh 'own[0-9]/mask:...' "$tmp"/many/*/*/launches.jsonl | sort -u | tr '\n' ' ')" = \
  'own1/mask:000 own8/mask:255 own9/mask:255 ' ] || fail 'other cells were counted'

# Buffers that are not aligned are read instead of lent.
printf '[workload]\nseed = 3\nrequests = 20\n[file.lend]\nweight = 1\nbytes_min = 16384\nbytes_max = 16384\n' >"$tmp/lent.ini"
{ cat "$tmp/lent.ini"; echo 'unaligned_percent = 100'; } >"$tmp/copied.ini"
printf '[workload]\nseed = 3\nrequests = 20\n[file.read]\nweight = 1\nbytes_min = 16384\nbytes_max = 16384\n' >"$tmp/read.ini"
run --placements --out "$tmp/aligned" --filter 'mask:255$' \
  --workload "$tmp/lent.ini,$tmp/copied.ini,$tmp/read.ini"
loads() { grep -m1 "placement/$1/" "$tmp"/aligned/*/*/launches.jsonl | sed -n 's/.*"hk_loads": *\([0-9.]*\).*/\1/p'; }
awk -v l="$(loads lent)" -v c="$(loads copied)" -v r="$(loads read)" \
  'BEGIN { exit !(c > l && (c - r) / r < 0.02 && (r - c) / r < 0.02) }' ||
  fail "loads: lent $(loads lent), copied $(loads copied), read $(loads read)"

# Ctrl-C: whole placements, marked partial, and no machine left
"$hkbench" run --shared --placements --out "$tmp/stopped" --workload sensor_node \
  --filter placement >"$tmp/out.txt" 2>"$tmp/err.txt" &
pid=$!
for _ in $(seq 300); do
  grep -q mask:003 "$tmp"/stopped/*/*/launches.jsonl 2>/dev/null && break
  sleep 0.1
done
kill -INT $pid
wait $pid
rc=$?
[ $rc = 3 ] || fail "stopped: status $rc"
out_has '(partial)'
count=$(grep -c '"guest/placement/' "$tmp"/stopped/*/*/launches.jsonl)
[ "$count" -ge 6 ] && [ $((count % 2)) = 0 ] || fail "$count launches after Ctrl-C"
pgrep -f "workloads=sensor_node" >/dev/null && fail 'a machine was left'

# What it is to lose a server.
run --placements --out "$tmp/outage" --filter 'outage/block' --workload sensor_node
grep -q '"guest/outage/block/fault:hangs".*"hk_lost": *0\.\?0*,' "$tmp"/outage/*/*/launches.jsonl ||
  fail "no outage of block, or data lost: $(grep outage "$tmp"/outage/*/*/launches.jsonl)"
grep -q '"guest/outage/block/fault:damages".*"hk_lost": *0\.\?0*,.*"hk_pages_restored": *[1-9]' \
  "$tmp"/outage/*/*/launches.jsonl ||
  fail "no damage found, or data lost: $(grep damages "$tmp"/outage/*/*/launches.jsonl)"
exit 0
