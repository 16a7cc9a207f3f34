#!/bin/bash
# tests/fuzz.sh SECONDS [TARGET...]: builds the fuzz targets, writes seeds, and runs each target for
# so many seconds on one core. Fails on the first crash, hang or leak, whose input stays under
# build/fuzz/crashes. What was found interesting is kept in build/fuzz/corpus for the next run, and
# seconds and executions are added to build/fuzz/runs.tsv, from which tests/fuzz_report.sh writes
# docs/fuzzing.md.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?usage: tests/fuzz.sh SECONDS [TARGET...]}
shift
out=build/fuzz

mkdir -p build
cmake --preset fuzz >build/configure-fuzz.log || { cat build/configure-fuzz.log; exit 1; }
cmake --build --preset fuzz --target fuzzers
mkdir -p "$out/crashes"

export LLVM_PROFILE_FILE=/dev/null  # only tests/fuzz_coverage.sh counts
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=0
"$out/fuzz_seeds" "$out/seeds"
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=($(find src -name '*_fuzz.cc' -exec basename -s .cc {} + | sort))
for target in "${targets[@]}"; do
  corpus=$out/corpus/$target
  mkdir -p "$corpus" "$out/seeds/$target"
  printf '%-24s' "$target"
  if ! nice -n 10 "$out/$target" -max_total_time="$seconds" -max_len=16384 -timeout=20 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$out/crashes/$target-" \
    "$corpus" "$out/seeds/$target" >"$out/$target.log" 2>&1; then
    echo 'FAILED'
    tail -n 40 "$out/$target.log"
    exit 1
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$target.log")
  printf '%12d runs in %d s\n' "$runs" "$seconds"
  printf '%s\t%d\t%d\n' "$target" "$seconds" "$runs" >>"$out/runs.tsv"
done
