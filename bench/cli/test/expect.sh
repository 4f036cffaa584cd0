# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of commands have in common: each sources this file, and then has
#
#   $tmp                      a folder of its own, removed when it ends
#   $limit_s                  how long a command may take; a test may set another
#   fail TEXT...              ends the test with TEXT and what the last command said
#   expect STATUS COMMAND...  runs COMMAND without input, what it says in $tmp/out.txt and
#                             $tmp/err.txt, and fails unless it ends with STATUS, or one like [14];
#                             $got is what it was
#   out_has, err_has, has     fail unless grep, with the arguments given, finds a line on stdout, on
#                             stderr, on either
#   refused STATUS TEXT COMMAND...
#                             expect, and TEXT is in the only line on stderr, nothing on stdout
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
touch "$tmp/out.txt" "$tmp/err.txt"
limit_s=100
last='nothing'

fail() {
  printf 'FAIL: %s\nafter %s, which said:\n' "$*" "$last"
  tail -c 8000 "$tmp/out.txt" "$tmp/err.txt"
  exit 1
} >&2 # a test may be reading what is on stdout

expect() {
  local want=$1
  shift
  last=$*
  timeout "$limit_s" "$@" >"$tmp/out.txt" 2>"$tmp/err.txt" </dev/null
  got=$?
  # shellcheck disable=SC2053 # a pattern
  [[ $got = $want ]] || fail "status $got, not $want"
}

out_has() { grep -q "$@" "$tmp/out.txt" || fail "no '$*' on stdout"; }
err_has() { grep -q "$@" "$tmp/err.txt" || fail "no '$*' on stderr"; }
has() { grep -q "$@" "$tmp/out.txt" "$tmp/err.txt" || fail "no '$*'"; }

refused() {
  expect "$1" "${@:3}"
  err_has -e "$2"
  [ "$(wc -l <"$tmp/err.txt")" = 1 ] || fail 'not one line on stderr'
  [ ! -s "$tmp/out.txt" ] || fail 'something on stdout'
}
