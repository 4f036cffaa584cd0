#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# virtio_test.sh KERNEL PROGRAMS PLACE: the services with QEMU's devices behind them. A file comes
# over the network, blocks reach a disk image, and a picture the screen, seen from outside.
set -u
kernel=$1 programs=$2 place=$3
qemu=$(command -v qemu-system-x86_64) || { echo "skipped: qemu-system-x86_64 is not installed (Debian: qemu-system-x86)"; exit 77; }
"$qemu" -netdev help 2>/dev/null | grep -qx user || { echo "skipped: this QEMU has no user network (libslirp)"; exit 77; }
tmp=$(mktemp -d) || exit 1
trap 'exec 3>&-; rm -rf "$tmp"' EXIT
trap '' PIPE # QEMU may be gone when it is asked for its screen
mkdir "$tmp/tftp"
echo 'hello from the host' >"$tmp/tftp/hello.txt"
head -c 262144 /dev/zero >"$tmp/disk"
mkfifo "$tmp/monitor"

# no icount: the network is the host's, and so is its time
timeout --kill-after=2 90 "$qemu" -M microvm,acpi=off -m 64M -nodefaults -no-user-config \
  -display none -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 -debugcon "file:$tmp/log" \
  -global virtio-mmio.force-legacy=false -device ramfb \
  -netdev "user,id=net,restrict=on,tftp=$tmp/tftp" -device virtio-net-device,netdev=net \
  -drive "file=$tmp/disk,format=raw,if=none,id=disk" -device virtio-blk-device,drive=disk \
  -kernel "$kernel" -initrd "$programs" \
  -append "scenario=virtio devices=net,block,display place=$place" \
  -monitor stdio <"$tmp/monitor" >"$tmp/answers" 2>&1 &
pid=$!
exec 3>"$tmp/monitor"
for _ in $(seq 600); do
  grep -qE 'look at the screen|^HK1 done' "$tmp/log" 2>/dev/null && break
  kill -0 $pid 2>/dev/null || break
  sleep 0.1
done
echo "screendump $tmp/screen.ppm" >&3 2>/dev/null
wait $pid
status=$?
cat "$tmp/log"
[ "$status" -eq 33 ] || { cat "$tmp/answers"; echo "QEMU ended with status $status, not 33"; exit 1; }
grep -q '^HK1 fail' "$tmp/log" && exit 1
grep -q '^HK1 done leaks=0$' "$tmp/log" || exit 1
line=$(dd if="$tmp/disk" bs=4096 skip=37 count=1 2>/dev/null | head -c 16)
[ "$line" = 'block 37 of ours' ] || { echo "the disk says '$line'"; exit 1; }
# P6, size, depth, then three bytes a pixel
[ "$(head -c 15 "$tmp/screen.ppm" | tr '\n' ' ')" = 'P6 160 120 255 ' ] ||
  { echo "no screen of 160 x 120"; exit 1; }
pixel() { od -An -tx1 -j $((15 + 3 * ($2 * 160 + $1))) -N 3 "$tmp/screen.ppm" | tr -d ' '; }
[ "$(pixel 10 10) $(pixel 41 31) $(pixel 119 89) $(pixel 120 89)" = '102030 e0a040 e0a040 102030' ] ||
  { echo "the screen shows $(pixel 10 10) $(pixel 41 31) $(pixel 119 89) $(pixel 120 89)"; exit 1; }
