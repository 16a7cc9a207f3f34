#!/bin/bash
# tests/fuzz_coverage.sh: the share of lines that each fuzz target's seeds and corpus reach in the
# source file of the same name. One line a target: name, lines reached, lines, per cent. Run
# tests/fuzz.sh before.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/fuzz
profiles=$out/profiles
mkdir -p "$profiles"

for fuzz in $(find src -name '*_fuzz.cc' | sort); do
  target=$(basename "$fuzz" .cc)
  source=${fuzz%_fuzz.cc}.cc
  [ -x "$out/$target" ] || { echo "$out/$target: missing; run tests/fuzz.sh first" >&2; exit 1; }
  mkdir -p "$out/corpus/$target" "$out/seeds/$target"
  LLVM_PROFILE_FILE=$profiles/$target.profraw "$out/$target" -runs=0 \
    "$out/corpus/$target" "$out/seeds/$target" >"$profiles/$target.log" 2>&1
  llvm-profdata-16 merge -sparse "$profiles/$target.profraw" -o "$profiles/$target.profdata"
  llvm-cov-16 export -summary-only -instr-profile "$profiles/$target.profdata" "$out/$target" \
    "$source" >"$profiles/$target.json"
  read -r covered lines percent < <(
    sed -E 's/.*"totals":.*"lines":\{"count":([0-9]+),"covered":([0-9]+),"percent":([0-9.]+).*/\2 \1 \3/' \
      "$profiles/$target.json"
    echo)
  printf '%s\t%d\t%d\t%.1f\n' "$target" "$covered" "$lines" "$percent"
done
