#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mutants_test.sh COMPILER CORE BASE: mistakes in the verifier, one at a time, which the oracle must
# find when many programs run: a control of the test core_extension_programs.
set -u
cc=$1 core=$2 base=$3
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
compile() { "$cc" -w -O1 -std=c17 -D_GNU_SOURCE -DHK_EXTENSION_ORACLE -I"$core" -I"$base/include" "$@"; }
for source in "$core"/extension/*.c "$core"/test/{generate,oracle,trial,many_programs}.c; do
  compile -c "$source" -o "$tmp/$(basename "$source" .c).o" || exit 1
done
bad=0
while read -r file expression; do
  sed "$expression" "$core/extension/$file.c" >"$tmp/mutant.c"
  if cmp -s "$tmp/mutant.c" "$core/extension/$file.c"; then
    echo "changes nothing any more: $file $expression"; bad=1; continue
  fi
  compile -c "$tmp/mutant.c" -o "$tmp/mutant.o" || { bad=1; continue; }
  objects=$(ls "$tmp"/*.o | grep -v -e "/$file.o$")
  compile $objects -o "$tmp/mutant" || exit 1
  { (ulimit -c 0; exec "$tmp/mutant" 400000) >"$tmp/log" 2>&1; } 2>/dev/null # no word of the abort
  status=$?
  if [ $status -lt 128 ]; then # it has not been stopped by the oracle, nor by a crash
    echo "not found: $file $expression"; bad=1
  else
    echo "found: $file $expression: $(grep -m1 '^instruction' "$tmp/log")"
  fi
done <<'MUTANTS'
state s/end > base->known/end > base->known + 1/
state s/end + (int64_t)base->range.max >/end >/
state s/const unsigned set = hk_value_is_address(slot) ? 0 : slot->set;/const unsigned set = slot->set;/
state s/value->known <= other->known &&//
state s/value->origin == other->origin &&//
state s/(value->set & ~other->set) == 0/true/
verify s/address->known = 0;//
verify s/const bool strictly = has_equal != holds;/const bool strictly = true;/
verify s/reg\[r\].kind = HK_VALUE_UNSET;//
verify s/if (hk_instruction_class(i) != HK_JMP)/if (false)/
range s/a.min < b.max ? any/a.max < b.min ? any/
MUTANTS
exit $bad
