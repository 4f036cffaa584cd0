#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An edge that points upwards must stop the configure step, with the edge named.
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.25)
project(edges LANGUAGES C)
include($1/cmake/HkComponent.cmake)
add_library(hk_result INTERFACE)
hk_component(NAME stats DEPS result)
EOF
if out=$(cmake -S "$tmp" -B "$tmp/b" 2>&1); then
  echo "the upward edge stats -> result was accepted"; exit 1
fi
grep -q 'edge stats -> result is not allowed' <<<"$out" || { echo "$out"; exit 1; }
