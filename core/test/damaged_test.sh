#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# damaged_test.sh KERNEL PROGRAMS: what the kernel cannot use ends it with one line that says why,
# nothing leaked and an exit status of its own, not with a hang.
set -u
kernel=$1 programs=$2
command -v qemu-system-x86_64 >/dev/null || { echo "skipped: qemu-system-x86_64 is not installed (Debian: qemu-system-x86)"; exit 77; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0

# refuse STATUS TEXT ARCHIVE COMMAND_LINE [MEMORY]
refuse() {
  local status=$1 text=$2 archive=$3 line=$4 memory=${5:-64M} out rc
  out=$(timeout --kill-after=2 30 qemu-system-x86_64 -M microvm,acpi=off -m "$memory" -nodefaults \
    -no-user-config -display none -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 \
    -debugcon stdio -icount shift=0,sleep=off -kernel "$kernel" \
    ${archive:+-initrd "$archive"} -append "$line" </dev/null)
  rc=$?
  if [ $rc != "$status" ] || [ "$(grep -c '^HK1 fail' <<<"$out")" != 1 ] ||
     ! grep -q "^HK1 fail .*$text" <<<"$out"; then
    echo "$archive, $line: status $rc instead of $status, or not one line with '$text':"
    echo "$out"
    failed=1
  fi
  [ "$status" = 37 ] || grep -q '^HK1 done leaks=0$' <<<"$out" || { echo "leaks: $out"; failed=1; }
}

head -c 20000 "$programs" >"$tmp/short"
echo 'not an archive' >"$tmp/junk"
# every program claims to be for 32 bits
sed 's/\x7fELF\x02/\x7fELF\x01/' "$programs" >"$tmp/other"

# 2 * HK_EXIT_FAIL + 1, 2 * HK_EXIT_COMMAND_LINE + 1, 2 * HK_EXIT_PANIC + 1
refuse 35 'no usable archive.*not found' '' scenario=hello
refuse 35 'no usable archive.*malformed' "$tmp/short" scenario=hello
refuse 35 'no usable archive.*malformed' "$tmp/junk" scenario=hello
refuse 35 'cannot start the program init.*malformed' "$tmp/other" scenario=hello
refuse 35 'no compiled mix' "$programs" 'scenario=workload workloads=none'
cp "$programs" "$tmp/mix.a"
head -c 848 "$programs" >"$tmp/mix0"
(cd "$tmp" && ar rcS mix.a mix0) || failed=1
refuse 35 'no compiled mix' "$tmp/mix.a" 'scenario=workload workloads=damaged'
refuse 39 'devices= takes a list of net block display' "$programs" 'scenario=hello devices=moon'
refuse 35 'cannot start the services of the kernel: not available' "$programs" 'scenario=hello devices=net'
refuse 39 'place= takes' "$programs" 'scenario=tour place=file:moon'
refuse 39 'scenario= takes' "$programs" 'scenario=nonsense'
refuse 39 'scenario= takes' "$programs" ''
refuse 35 'out of memory; give the machine more' "$programs" scenario=hello 3M
refuse 35 'init ended: .*give the machine more' "$programs" scenario=experiments 5440K
refuse 37 'command line too long' "$programs" "scenario=hello $(printf 'x%.0s' {1..600})"
exit $failed
