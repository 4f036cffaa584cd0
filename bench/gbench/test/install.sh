#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A C project elsewhere, which knows only pkg-config, builds the installed example and runs it;
# so does a C++ compiler with the header alone.
#
# install.sh BUILD_DIR LIBDIR CC CXX [FLAGS of the sanitizers]
set -eu
build=$1 libdir=$2 cc=$3 cxx=$4
shift 4
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cmake --install "$build" --component gbench --prefix "$tmp/prefix" >"$tmp/log" 2>&1 ||
  { cat "$tmp/log"; exit 1; }
# Moved after the installation: the package must not remember where it was put.
mv "$tmp/prefix" "$tmp/moved"
export PKG_CONFIG_PATH=$tmp/moved/$libdir/pkgconfig
mkdir "$tmp/project" && cd "$tmp/project"
cp "$tmp/moved/share/doc/hkgbench/example/copy.c" .
# shellcheck disable=SC2046
"$cc" -std=c17 -Wall -Wextra -Werror -pedantic "$@" copy.c \
  $(pkg-config --cflags --libs hkgbench) -o copy
./copy --benchmark_filter='bytes:64$' --benchmark_min_time=0.001 --benchmark_out=out.json \
  >out.txt 2>&1 || {
  cat out.txt
  grep -q 'built without Google Benchmark' out.txt && exit 77
  exit 1
}
grep -q '"name": "copy/bytes:64"' out.json || { echo "no such row in out.json"; exit 1; }
if ./copy --nonsense 2>err.txt; then echo "an unknown argument was accepted"; exit 1; fi
grep -q "unknown argument '--nonsense'" err.txt

printf '#include <hk/gbench/gbench.h>\nint main() { return hk_gbench_available() ? 0 : 77; }\n' >only.cc
# shellcheck disable=SC2046
"$cxx" -Wall -Wextra -Werror -pedantic "$@" only.cc $(pkg-config --cflags --libs hkgbench) -o only
./only
