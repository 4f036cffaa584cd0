#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A stock Linux kernel under QEMU: what is counted repeats exactly and has the structure that the
# programs give it; what can be wrong is said. Skipped where there is no kernel or no QEMU.
#
# linux.sh HKBENCH
set -u
program=$1
. "$(dirname "$0")/expect.sh"
limit_s=900
run() { expect "$1" "$program" run --shared --linux --out "$tmp/results" "${@:2}"; }
cannot() { run "$1" "${@:3}" && err_has -e "$2"; } # status, text on stderr, arguments...

# --- what is said before anything is booted ---
cannot 2 'no regular expression' --filter '('
cannot 2 'no cell of a Linux guest matches' --filter '^linux/wakeup/'
cannot 2 'no Linux bzImage' --kernel /etc/passwd
cannot 2 'No such file' --kernel "$tmp/missing"
cannot 2 'no clock and no chance' --budget 5
cannot 2 'exclude each other' --guest
[ ! -e "$tmp/results" ] || fail 'a run that never was has left a folder'

# --- counts ---
small='syscall/(getppid|pipe_self|eventfd_self)/|round_trip/(pipe|udp|page_grant|eventfd_shm)/.*bytes:64$'
run '[03]' --json --filter "/($small|inject|fallback|block_read|file_read|unix_stream/.*bytes:(1|4096|16384|65536)\$)"
if [ "$got" = 3 ]; then
  grep -E 'no Linux kernel is found|not installed' "$tmp/err.txt" && exit 77
  fail 'the run ended with 3'
fi
out_has '"cells_near":0,' # each repeats exactly
out_has '"cells_invalid":0,'
folder=$(sed 's/.*"path":"\([^"]*\)".*/\1/' "$tmp/out.txt")

# As a whole number where it is one: the file may write 2 or 2.0.
count() { # cell, counter
  grep -F "\"name\":\"$1\",\"index\":0," "$folder/launches.jsonl" |
    sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p" | sed 's/\.0$//' | grep . || fail "no $2 of $1"
}

# Each system call with a delay of d instructions costs d more: two of them, a slope of 2.
slope() { # cell -> difference quotient between the two longest delays, in thousandths
  grep -F "\"name\":\"$1\",\"index\":0," "$folder/launches.jsonl" |
    sed -n 's/.*"delay_cost_ns":\[\([^]]*\)\].*/\1/p' |
    awk -F, '{ printf "%.0f\n", 1000 * ($5 - $4) / 2000 }' | grep . || fail "no delays of $1"
}
within() { # value, from, to, what
  [ "$1" -ge "$2" ] && [ "$1" -le "$3" ] || fail "$4: $1 thousandths, not $2 to $3"
}
within "$(slope linux/inject_syscall/pipe_self/bytes:64)" 1990 2010 'system calls of the kernel path'
within "$(slope linux/inject/pipe/place:same_core/servers:1/bytes:64)" 1990 2010 'sends, one server'
within "$(slope linux/inject/pipe/place:same_core/servers:2/bytes:64)" 3980 4020 'sends, two servers'
# A round trip between two processes on one CPU is two switches and four system calls.
[ "$(count linux/round_trip/pipe/place:same_core/bytes:64 hk_cr3_writes)" = 2 ] ||
  fail 'a pipe round trip is not two switches'
[ "$(count linux/round_trip/pipe/place:same_core/bytes:64 hk_ring_entries)" = 4 ] ||
  fail 'a pipe round trip is not four system calls'
[ "$(count linux/syscall/getppid/bytes:0 hk_ring_entries)" = 1 ] || fail 'getppid is not one entry'
# A block server in a process costs more than the kernel's own threads: where the modules of both
# lie beside the kernel.
blocks=yes
grep -q 'no module' "$tmp/err.txt" && blocks=
if [ -n "$blocks" ]; then
  loop=$(count linux/block_read/loop/bytes:4096 hk_instructions_clock) || exit 1
  nbd=$(count linux/block_read/nbd/bytes:4096 hk_instructions_clock) || exit 1
  [ "${nbd%.*}" -gt "${loop%.*}" ] || fail 'a server behind the block layer costs nothing'
fi
# Page by page: less than one page of each buffer is copied, whatever its length.
copied=$(count linux/fallback/mix:uniform/trace:test/partial:1 copied_bytes_per_message) || exit 1
[ "${copied%.*}" -gt 0 ] || fail 'nothing was copied'

# The kernel names its functions; nearly all of the cost is in functions with names.
grep -qP '^linux/round_trip/pipe/place:same_core/bytes:64\tpipe_write\t' "$folder/functions.tsv" ||
  fail 'no pipe_write in a pipe round trip'
grep -qP '^linux/syscall/getppid/bytes:0\t__x64_sys_getppid\t' "$folder/functions.tsv" ||
  fail 'no function of the system call'
grep -qP '^linux/[^\t]*\tinit:' "$folder/functions.tsv" || fail 'no function of the program'
awk -F'\t' '$1 ~ /pipe.*bytes:64$/ { all += $3; if ($2 == "?") unnamed += $3 }
            END { exit !(all > 10000 && unnamed < 0.01 * all) }' "$folder/functions.tsv" ||
  fail 'instructions without a function'

# --- the formulas, judged on counts: the same verdict on every machine ---
expect 0 "$program" validate "$folder"
verdict() { # formula, regime, verdict; it is exact, which no cell that only nearly repeats is
  out_has -E "^$1 +$2 +$3 +EXACT, "
  grep -qF "\"line\": \"$1 in $2: $3, EXACT, " "$folder/verdicts.json" ||
    fail "$1 in $2 is not EXACT in verdicts.json"
}
verdict F3 'linux/pipe/coefficient of one server' HOLDS
verdict F3 'linux/pipe/coefficient of two servers' HOLDS
verdict F3 'linux/pipe/coefficient of the kernel path' HOLDS
verdict F5 'linux/independent/bytes' HOLDS
verdict F5 'linux/dependent/bytes' 'REFUTED->REPLACED'
verdict F5 'linux/partial mapping/bytes' 'REFUTED->REPLACED'
[ -z "$blocks" ] || verdict F3 linux/block/nbd 'REFUTED->REPLACED'

# --- two kernels compared: one without pressure accounting is faster by its functions ---
run 0 --json --filter '/round_trip/pipe/.*bytes:64$' --append 'psi=0'
other=$(sed 's/.*"path":"\([^"]*\)".*/\1/' "$tmp/out.txt")
"$program" compare "$folder" "$other" --filter 'round_trip/pipe/' >"$tmp/out.txt" 2>"$tmp/err.txt"
grep -qE '^ +kernel psi_[a-z_]+ ' "$tmp/out.txt" || fail 'a difference between two kernels without its function'

# --- a kernel that does not come up ---
cannot 3 'guest' --filter 'getppid' --append 'init=/nothing rdinit=/nothing'
exit 0
