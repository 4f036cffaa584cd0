#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# compare_kernel.sh HKBENCH NOP_KERNEL: one instruction added to the short call is found in every
# cell that calls, in its function; baselines are accepted, and refused from another QEMU.
set -u
hkbench=$1 nop=$2
command -v qemu-system-x86_64 >/dev/null ||
  { echo "skipped: qemu-system-x86_64 is not installed (Debian: qemu-system-x86)"; exit 77; }
. "$(dirname "$0")/expect.sh"
compare() { expect "$1" "$hkbench" compare "${@:3}" && has -e "$2"; } # status, text, arguments...
call=guest/round_trip/endpoint/spaces:2/words:2

compare 0 'now holds' "$tmp/base" --guest --accept --filter "^($call|guest/harness/empty)\$"
compare 0 'now holds' "$tmp/nop" --b "$nop" --accept --filter "^($call|guest/harness/empty)\$"
compare 0 'SAME: 0 slower, 0 faster, 2 same' "$tmp/base" "$tmp/base"

# found with certainty, where it is, and nowhere else
compare 1 '1 slower, 0 faster, 1 same' "$tmp/base" "$tmp/nop" --floor 0
grep -A2 "^SLOWER.*$call" "$tmp/out.txt" | grep -q 'kernel call_short .* +1$' ||
  fail 'not attributed to call_short'
compare 0 '1 faster' "$tmp/nop" "$tmp/base" --floor 0
compare 0 'SAME: 0 slower' "$tmp/base" "$tmp/nop"
compare 1 '"what": "kernel call_short"' "$tmp/base" "$tmp/nop" --floor 0 --json
compare 1 '| SLOWER | `'"$call" "$tmp/base" "$tmp/nop" --floor 0 --markdown

# and a filter leaves the rest out
compare 0 '0 faster, 1 same' "$tmp/base" "$tmp/nop" --floor 0 --filter empty

# counts of another QEMU or compiler: equal ones pass, others are no verdict
cp -r "$tmp/nop" "$tmp/other"
sed -i 's/QEMU [0-9.]*/QEMU 6.0.0/' "$tmp/other/run.json"
compare 0 'same' "$tmp/other" "$tmp/nop" --floor 0
sed -i "s/\"hk_instructions_kernel\":[1-9][0-9]*/\"hk_instructions_kernel\":11/" "$tmp/other/launches.jsonl"
compare 4 'counted by QEMU 6.0.0' "$tmp/other" "$tmp/nop" --floor 0
exit 0
