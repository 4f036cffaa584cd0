#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The package part of ./run, with stand-ins for the package manager: says what and why before it
# installs, asks for sudo only where that is needed, and does nothing when nothing is missing.
#
# run_script.sh SOURCE_FOLDER
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/tree/build/measure" "$tmp/bin" "$tmp/system"
cp "$1/run" "$tmp/tree/run"
log=$tmp/log

fail() { echo "FAIL: $*"; cat "$log" "$tmp/err.txt" 2>/dev/null; exit 1; }

# What ./run calls beside packages: a build that succeeds, an hkbench that says what it was given.
program() { printf '#!/bin/bash\n%s\n' "$3" >"$1/$2"; chmod +x "$1/$2"; }
for tool in bash dirname mkdir tail grep cat env printf; do
  ln -s "$(command -v $tool)" "$tmp/system/$tool"
done
program "$tmp/bin" cmake "echo cmake \"\$@\" >>$log"
program "$tmp/tree/build/measure" hkbench "echo hkbench \"\$@\" >>$log"

dpkg_has() { # regular expression of the packages that are installed
  program "$tmp/bin" dpkg-query "[[ \${@: -1} =~ ^($1)\$ ]] && echo 'install ok installed'"
}
user_is() { program "$tmp/bin" id "echo $1"; }
program "$tmp/bin" apt-get "echo apt-get \"\$@\" >>$log"
with_sudo() { program "$tmp/bin" sudo "echo sudo >>$log; exec \"\$@\""; }

run() { # arguments of ./run
  rm -f "$log"
  PATH=$tmp/bin:$tmp/system "$tmp/tree/run" "$@" >"$tmp/out.txt" 2>"$tmp/err.txt"
}
logged() { grep -qs -- "$1" "$log"; }
said() { grep -q -- "$1" "$tmp/err.txt"; }

# --- nothing is missing: nothing is said of packages, nothing installed ---
dpkg_has '.*'; user_is 0
run doctor --json || fail "nothing missing: status $?"
logged apt-get && fail "installs although nothing is missing"
said package && fail "speaks of packages although none is missing"
logged 'hkbench doctor --json' || fail "the command is not passed on"

# --- as root: what and why first, then apt-get without sudo, only what is missing ---
dpkg_has '(cmake|ninja-build|gcc|g[+][+]|libc6-dev|pkg-config|lib[^g].*|libgsl-dev|qemu.*)'
run list || fail "as root: status $?"
said 'needs package gnuplot-nox (plots)' || fail "does not say what and why"
[ "$(grep -n 'needs package' "$tmp/err.txt" | head -n 1 | cut -d: -f1)" -lt \
  "$(grep -n 'installing' "$tmp/err.txt" | head -n 1 | cut -d: -f1)" ] || fail "installs before it says why"
logged 'apt-get install .*gnuplot-nox' || fail "does not install"
logged 'apt-get install .*libgsl-dev' && fail "installs what is there"
logged sudo && fail "root needs no sudo"

# --- as a user: through sudo, and without it a line that names command and packages ---
user_is 1000; with_sudo
run list || fail "as a user: status $?"
logged sudo || fail "a user installs without sudo"
logged 'apt-get install .*gnuplot-nox' || fail "sudo does not install"
rm "$tmp/bin/sudo"
run list
[ $? = 2 ] || fail "no sudo: status $?"
said 'apt-get install .*gnuplot-nox' || fail "no sudo: no remedy"
logged hkbench && fail "no sudo: goes on all the same"

# --- a package that cannot be installed ends the run ---
user_is 0
program "$tmp/bin" apt-get '[ "$1" = update ] || { echo "E: no such package" >&2; exit 100; }'
run list && fail "goes on without its packages"

# --- no dpkg at all: names what is needed and goes on ---
rm "$tmp/bin/dpkg-query"
run list || fail "no dpkg: status $?"
said 'libgsl-dev' || fail "no dpkg: does not name what is needed"
logged 'hkbench list' || fail "no dpkg: does not go on"

# --- tests need more packages than use does ---
dpkg_has '.*'; rm -f "$tmp/bin/cmake"
program "$tmp/bin" dpkg-query "echo \${@: -1} >>$log; echo 'install ok installed'"
run test
logged '^libcmocka-dev$' || fail "the tests' packages are not looked at"
run list
logged '^libcmocka-dev$' && fail "use asks for the tests' packages"
exit 0
