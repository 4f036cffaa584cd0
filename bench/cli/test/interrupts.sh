#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Ctrl-C and SIGKILL at swept moments of a run, SIGKILL to servers all through one: what is there
# is valid, and nothing stays behind. Each moment meets one of the two signals a day, the other the
# next day; both of them with HK_TEST_LONG set.
#
# interrupts.sh HKBENCH
set -u
program=$1
. "$(dirname "$0")/expect.sh"
export TMPDIR=$tmp/tmp
mkdir "$TMPDIR"
# Every kind of thing that outlives a process, if it were left.
filter='round_trip/(sysv_msg|sysv_sem_shm|posix_mq|memfd_grant|page_grant|spin_ring|tcp)/.*bytes:64$'

# Objects of ours: System V keys whose first byte is 'h' (0x68), files, mounted queues.
list_left() {
  ls -A "$TMPDIR"
  ls -A /dev/shm 2>/dev/null | grep -i hk
  ls -A /dev/mqueue 2>/dev/null | grep -i hk
  grep -i hk_ /proc/net/dev
  grep -i hkbench /proc/mounts
  find /proc -maxdepth 2 -name environ -user "$(id -un)" 2>/dev/null |
    xargs -r grep -lsF "TMPDIR=$TMPDIR" 2>/dev/null | grep -v "/$$/" | while read -r file; do
      pid=${file//[^0-9]/}
      { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -F "$(basename "$program")"
    done
}

# Launches end with their leaders; give the kernel a moment for that.
nothing_left() {
  for _ in $(seq 50); do
    [ -z "$(list_left)" ] && return 0
    sleep 0.1
  done
  fail "$1 left behind: $(list_left)"
}

ipcs_before=$(ipcs -q -s -m | grep -c '^0x')
turn=$(($(date +%s) / 86400 % 2))
sweep() { # moments, options of the run...
  local moments=$1 moment signal out run got folder signals=(INT KILL)
  shift
  for moment in $moments; do
    turn=$((1 - turn))
    [ -n "${HK_TEST_LONG:-}" ] && signals=(INT KILL) || signals=("$([ $turn = 0 ] && echo INT || echo KILL)")
    for signal in "${signals[@]}"; do
      out=$tmp/$signal$moment
      rm -rf "$out"
      "$program" run --shared --budget 20 --out "$out" "$@" >"$tmp/out.txt" 2>&1 &
      run=$!
      sleep $moment
      # The list is worth something: it sees the run while that lives.
      [ -n "$(list_left)" ] ||
        fail "the run itself is not seen"
      kill -$signal $run
      wait $run 2>/dev/null
      got=$?
      [ $signal = KILL ] || [ $got = 3 ] || [ $got = 130 ] ||
        fail "SIGINT after $moment s: status $got"
      nothing_left "SIG$signal after $moment s"
      folder=$(find "$out" -name run.json -printf '%h\n' 2>/dev/null)
      [ -z "$folder" ] || grep -qE '"state": *"(partial|running)"' "$folder/run.json" ||
        fail "SIG$signal after $moment s: run.json does not say that it is partial"
      [ $signal = KILL ] || [ $got = 130 ] || [ -n "$folder" ] ||
        fail "SIGINT after $moment s: no result"
      find "$out" -name '*.tmp*' 2>/dev/null | grep . && fail "SIG$signal after $moment s: temp files"
    done
  done
}
sweep '0.02 0.1 0.2 0.35 0.5 0.8' --filter "$filter"
# Namespaces, wires and devices, and what is mounted.
sweep '0.15 0.3 0.6' --full --filter '^native/(net_echo/.*udp|file_read/(fuse/cache:direct|ext4/cache:kept))/bytes:(64|4096)$'

# Servers are killed all through a run, each a little later in its life than the one before. They
# are the first that a leader forks. The run goes on, ends by itself and says what happened.
"$program" run --shared --filter "$filter" --budget 8 --out "$tmp/servers" >"$tmp/out.txt" 2>&1 &
run=$!
killed=0 moment=0
first_child() { # of process $1 into $child, without a process of our own: launches are short
  child=
  read -r child _ 2>/dev/null <"/proc/$1/task/$1/children" || [ -n "$child" ]
} 2>/dev/null
while kill -0 $run 2>/dev/null; do
  first_child $run || continue
  leader=$child
  first_child "$leader" || continue
  sleep "$(printf '0.%03d' $moment)"
  kill -KILL "$child" 2>/dev/null && killed=$((killed + 1))
  moment=$(((moment + 7) % 60))
  while kill -0 "$leader" 2>/dev/null; do :; done
done
wait $run
got=$?
[ $got = 0 ] || [ $got = 3 ] || fail "servers killed: status $got"
[ $killed -ge 3 ] || fail "only $killed servers were killed"
nothing_left "the run whose servers were killed"
folder=$(find "$tmp/servers" -name run.json -printf '%h\n')
grep -q '"state": *"\(complete\|partial\)"' "$folder/run.json" || fail "servers killed: no end in run.json"
grep -q 'server [0-9]* was ended by signal 9' "$folder/launches.jsonl" || fail "no launch says that its server was killed"
grep -v '"state":"ok"' "$folder/launches.jsonl" | grep -v '"reason":' &&
  fail "servers killed: a launch without a reason"
expect 0 "$program" report "$folder"

# What SIGKILL left in the kernel, the next run sweeps.
"$program" run --shared --filter 'getppid' --budget 10 --out "$tmp/sweep" >"$tmp/out.txt" 2>&1
ipcs_after=$(ipcs -q -s -m | grep -c '^0x')
[ "$ipcs_after" -le "$ipcs_before" ] || fail "$ipcs_after System V objects, before there were $ipcs_before"
nothing_left "the run"
exit 0
