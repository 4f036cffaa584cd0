#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A gate for CI, for any shell: measures, adds a job to the history, and says what it changed.
#
#   ci/gate.sh                        counts of hkbench's kernel under QEMU: the same on any runner
#   BENCHMARK='./bench' ci/gate.sh    times of your program that uses Google Benchmark as well,
#   REFERENCE='./bench-v1'            held against a pinned build that runs in the same job
#
# variable   meaning                                              default
# HKBENCH    the program                                          build/measure/hkbench
# COMMIT     what is measured                                     $GITHUB_SHA, $CI_COMMIT_SHA, git
# HISTORY    the file that the CI keeps from job to job           results/history.db
# OUT        results folder                                       results
# GUEST      1: count the kernel; 0: not                          1 without BENCHMARK, else 0
# FILTER     regular expression over the counted cells            all
# PIN        name of the reference                                reference
# ROUNDS     how often both programs run, in turns                5
# RETRIES    how often an undecided job is measured again         2
# SUMMARY    file that gets the verdict as Markdown, appended     $GITHUB_STEP_SUMMARY
#
# Exit status: 0 nothing is slower, 1 something is, 2 usage or build, 3 nothing could be measured,
# 4 undecided. The first job of a new history ends with 0: there is nothing to hold it against.
set -u
hkbench=${HKBENCH:-build/measure/hkbench}
history=${HISTORY:-results/history.db}
out=${OUT:-results}
commit=${COMMIT:-${GITHUB_SHA:-${CI_COMMIT_SHA:-$(git rev-parse HEAD 2>/dev/null)}}}
summary=${SUMMARY:-${GITHUB_STEP_SUMMARY:-/dev/null}}
guest=${GUEST:-$([ -n "${BENCHMARK:-}" ] && echo 0 || echo 1)}
[ -n "$commit" ] || { echo "gate: what is measured? set COMMIT" >&2; exit 2; }
[ -x "$hkbench" ] || { echo "gate: no program '$hkbench'; build it with ./run --help, or set HKBENCH" >&2; exit 2; }
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT

count_kernel() {
  "$hkbench" run --guest ${FILTER:+--filter "$FILTER"} --out "$out" >"$work/run.txt" || return 3
  "$hkbench" track add --history "$history" --out "$out" --commit "$commit" "$(sed -n '1s/ (partial)$//;1p' "$work/run.txt")"
}

# Both programs in turns, so that what the machine does meets both; each start is a launch.
run_turns() {
  rm -rf "$work/head" "$work/reference"
  mkdir "$work/head" "$work/reference"
  local round
  for round in $(seq 1 "${ROUNDS:-5}"); do
    $BENCHMARK --benchmark_out="$work/head/$round.json" --benchmark_out_format=json >/dev/null || return 3
    [ -z "${REFERENCE:-}" ] ||
      $REFERENCE --benchmark_out="$work/reference/$round.json" --benchmark_out_format=json >/dev/null || return 3
  done
}
time_program() {
  run_turns || { echo "gate: a benchmark did not run" >&2; return 3; }
  local reference=()
  [ -z "${REFERENCE:-}" ] || reference=(--pin "${PIN:-reference}" --reference "$work/reference")
  "$hkbench" track add --history "$history" --commit "$commit" "${reference[@]}" "$work/head"
}

measure() {
  [ "$guest" != 1 ] || count_kernel || return $?
  [ -z "${BENCHMARK:-}" ] || time_program
}

[ -f "$history" ] && first=0 || first=1
for attempt in $(seq 0 "${RETRIES:-2}"); do
  measure || exit $?
  "$hkbench" track check --history "$history" --out "$out"
  code=$?
  [ $code = 4 ] && [ $first = 0 ] || break
done
"$hkbench" track check --history "$history" --out "$out" --markdown >>"$summary"
[ $code = 4 ] && [ $first = 1 ] && { echo "gate: the first job of this history"; code=0; }
[ $code != 1 ] || echo "gate: if that is right: $hkbench track accept REGEX --history $history --reason TEXT"
exit $code
