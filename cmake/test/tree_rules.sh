#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Rules that no compiler checks: an SPDX line in every source file, no include that climbs out of
# its component, and no libc in base/ or in the kernel.
set -u
cd "$1" || exit 1
failed=0

files() { git ls-files --cached --others --exclude-standard 2>/dev/null || find . -type f -not -path './build/*' -not -path './.git/*'; }

while read -r f; do
  [ -f "$f" ] || continue
  case "$f" in
    *.c|*.h|*.cc|*.S|*.ld|*.cmake|*CMakeLists.txt|*.gp|*.sh|*.ini|*.pml|run|.ci/run)
      head -n 3 "$f" | grep -q 'SPDX-License-Identifier: MIT' || { echo "no SPDX line: $f"; failed=1; } ;;
  esac
  case "$f" in
    *.c|*.h|*.cc)
      grep -nE '#include "\.\./' "$f" && { echo "include climbs out of its component: $f"; failed=1; } ;;
  esac
done < <(files)

if grep -rnE '#include <(stdio|stdlib|string|unistd|errno)\.h>' base/include base/*.c core/include core/kernel core/arch 2>/dev/null; then
  echo "libc header in freestanding code"; failed=1
fi
exit $failed
