#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Rules that no compiler checks: an SPDX line in every source file, no include that climbs out of
# its component, and no libc in base/ or in the kernel.
set -u
cd "$1" || exit 1
failed=0

files() { git ls-files --cached --others --exclude-standard 2>/dev/null || find . -type f -not -path './build/*' -not -path './.git/*'; }

# A few processes for all files: one for each took longer than a loaded machine allows.
sources=() code=()
while read -r f; do
  [ -f "$f" ] || continue
  case "$f" in
    *.c|*.h|*.cc|*.S|*.ld|*.cmake|*CMakeLists.txt|*.gp|*.sh|*.ini|*.pml|run|.ci/run)
      [ -s "$f" ] || { echo "no SPDX line: $f"; failed=1; }
      sources+=("$f") ;;
  esac
  case "$f" in *.c|*.h|*.cc) code+=("$f") ;; esac
done < <(files)

unmarked=$(printf '%s\0' "${sources[@]}" | xargs -0 awk '
  FNR == 1 { if (name != "" && !marked) print name; name = FILENAME; marked = 0 }
  FNR <= 3 && /SPDX-License-Identifier: MIT/ { marked = 1 }
  END { if (name != "" && !marked) print name }')
[ -z "$unmarked" ] || { echo "no SPDX line: $unmarked"; failed=1; }

if printf '%s\0' "${code[@]}" | xargs -0 grep -nE '#include "\.\./' /dev/null; then
  echo "include climbs out of its component"; failed=1
fi

if grep -rnE '#include <(stdio|stdlib|string|unistd|errno)\.h>' base/include base/*.c core/include core/kernel core/arch 2>/dev/null; then
  echo "libc header in freestanding code"; failed=1
fi
exit $failed
