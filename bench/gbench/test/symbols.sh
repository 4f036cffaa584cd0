#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Both implementations define exactly the functions that the header declares.
#
# symbols.sh HEADER LIBRARY...
set -eu
header=$1
shift
declared=$(grep -oE '\bhk_gbench_[a-z0-9_]+\(' "$header" | tr -d '(' | sort -u |
  grep -vxE 'hk_gbench_loop_more|hk_gbench_fn') # inline; a type
for library in "$@"; do
  defined=$(nm --defined-only -g "$library" | awk '$2 == "T" && $3 ~ /^hk_/ { print $3 }' | sort -u)
  diff <(echo "$declared") <(echo "$defined") || { echo "$library: differs from $header"; exit 1; }
done
