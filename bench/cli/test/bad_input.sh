#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a user can get wrong: one line on stderr with the remedy, exit status 2, nothing on stdout;
# and what can happen to a run at any moment: nothing stays behind.
#
# bad_input.sh HKBENCH WRITE_SAMPLE_RUN
set -u
program=$1
write_sample_run=$2
tmp=$(mktemp -d) || exit 1
export TMPDIR=$tmp/tmp # what the program puts into temporary files is seen
mkdir "$TMPDIR"
trap 'rm -rf "$tmp"' EXIT

fail() { echo "FAIL: $*"; head -c 2000 "$tmp/out.txt" "$tmp/err.txt"; exit 1; }

expect() { # status, text on stderr, arguments...
  local want=$1 text=$2 got
  shift 2
  timeout 60 "$program" "$@" >"$tmp/out.txt" 2>"$tmp/err.txt" </dev/null
  got=$?
  [ "$got" = "$want" ] || fail "hkbench $*: status $got, not $want"
  grep -q -- "$text" "$tmp/err.txt" || fail "hkbench $*: no '$text'"
  [ "$(wc -l <"$tmp/err.txt")" = 1 ] || fail "hkbench $*: not one line on stderr"
  [ ! -s "$tmp/out.txt" ] || fail "hkbench $*: something on stdout"
}

# --- commands, options, values ---
expect 2 "unknown command 'rum'" rum
expect 2 "unknown command ''" ''
for command in doctor fit kernel list place plot report run selfcheck simulate validate; do
  expect 2 "unknown option '--no-such'" $command --no-such
  expect 2 "unknown option '-Z'" $command -ZY
done
for command in run selfcheck; do expect 2 'a value is missing' $command --filter; done
for bad in -1 9223372036854775808000 0x10 ' 7' 1.5; do
  expect 2 'whole number' run --seed "$bad"
  expect 2 'whole number' validate --seed "$bad"
done

# --- sizes that no message has: no cell of that name is measured ---
for bytes in -1 9223372036854775808 18446744073709551616 1e3; do
  expect 2 'no cell matches' run --shared --filter "^native/round_trip/pipe/place:same_core/bytes:$bytes\$"
done

# --- run folders that are none ---
"$write_sample_run" "$tmp/good" >"$tmp/out.txt" 2>&1
good=$(dirname "$(find "$tmp/good" -name run.json | head -n 1)")
[ -f "$good/run.json" ] || fail "no sample run"
check_run() { # what is wrong with $tmp/bad
  for command in fit validate report plot; do
    timeout 60 "$program" $command "$tmp/bad" >"$tmp/out.txt" 2>"$tmp/err.txt" </dev/null
    got=$?
    [ $got = 2 ] || [ $got = 3 ] || fail "$1: hkbench $command: status $got"
    [ "$(wc -l <"$tmp/err.txt")" = 1 ] || fail "$1: hkbench $command: not one line on stderr"
    grep -q "^hkbench $command: " "$tmp/err.txt" || fail "$1: hkbench $command: not its own error"
  done
}
spoil() { # file, what to write into it
  rm -rf "$tmp/bad"
  cp -r "$good" "$tmp/bad"
  printf "$2" >"$tmp/bad/$1"
  check_run "$1 holds '${2:0:40}'"
}
check_run 'no folder'
mkdir "$tmp/bad"
check_run 'an empty folder'
for text in '' '{' '[]' '{}' 'null' '{"schema": 99}' '\0\0\0' '{"a":1,"a":2}' '\377\376'; do
  spoil run.json "$text"
done
for text in '{\n' 'null\n' '{"name": 5}\n' '\0\n'; do spoil launches.jsonl "$text"; done
spoil launches.jsonl "$(head -c 100000 /dev/zero | tr '\0' '[')\n"
spoil machine.json '{'
exit 0
