#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a user can get wrong: one line on stderr with the remedy, exit status 2, nothing on stdout;
# and what can happen to a run at any moment: nothing stays behind.
#
# bad_input.sh HKBENCH WRITE_SAMPLE_RUN
set -u
program=$1 write_sample_run=$2
. "$(dirname "$0")/expect.sh"
export TMPDIR=$tmp/tmp # what the program puts into temporary files is seen
mkdir "$TMPDIR"

# --- commands, options, values ---
refused 2 "unknown command 'rum'" "$program" rum
refused 2 "unknown command ''" "$program" ''
for command in doctor fit kernel list place plot report run selfcheck simulate validate; do
  refused 2 "unknown option '--no-such'" "$program" $command --no-such
  refused 2 "unknown option '-Z'" "$program" $command -ZY
done
for command in run selfcheck; do refused 2 'a value is missing' "$program" $command --filter; done
for bad in -1 9223372036854775808000 0x10 ' 7' 1.5; do
  refused 2 'whole number' "$program" run --seed "$bad"
  refused 2 'whole number' "$program" validate --seed "$bad"
done

# --- sizes that no message has: no cell of that name is measured ---
for bytes in -1 9223372036854775808 18446744073709551616 1e3; do
  refused 2 'no cell matches' "$program" run --shared \
    --filter "^native/round_trip/pipe/place:same_core/bytes:$bytes\$"
done

# --- run folders that are none ---
good=$("$write_sample_run" "$tmp/good") || fail 'no sample run'
check_run() { # what is wrong with $tmp/bad
  echo "$1"
  for command in fit validate report plot; do
    refused '[23]' "^hkbench $command: " "$program" $command "$tmp/bad"
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
