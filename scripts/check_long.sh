#!/bin/bash
# The checks that take hours, in parts that can run on different days:
#   scripts/check_long.sh [PART...]
# PART (default: all): tests: all of them; memory: a build of an input several times its memory; tiers: searches in a
# collection several times their memory; kills:
# many kills during a save; trainings: kills during trainings; fuzzing: ten minutes of every parser; tokens: ids beside those of npm's
# @huggingface/tokenizers, in every language; onnx: exported models run by onnxruntime; peers: kith beside FAISS, hnswlib and USearch.
# docs/check-long/PART.md gets what each part's last run gave, failures included; this fails when one
# failed. KITH_FUZZ_SECONDS and KITH_KILLS shorten it.
set -uo pipefail
cd "$(dirname "$0")/.."
fuzz_seconds=${KITH_FUZZ_SECONDS:-600}
kills=${KITH_KILLS:-300}
all_parts=(tests memory tiers kills trainings fuzzing tokens onnx peers)
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=("${all_parts[@]}")
log=build/check-long
results=docs/check-long
mkdir -p "$log" "$results"
failures=0

# check PART TITLE LINES COMMAND...: runs it; the part's page gets the verdict and the last LINES lines
# of what it printed.
check() {
  local part=$1 title=$2 lines=$3 start=$SECONDS verdict=passed
  local output=$log/$part.log commit
  commit=$(git rev-parse --short HEAD)$(git diff --quiet HEAD || echo ' with local changes')
  shift 3
  echo "==== $title"
  "$@" 2>&1 | tee "$output"
  [ "${PIPESTATUS[0]}" = 0 ] || { verdict=FAILED && failures=$((failures + 1)); }
  echo "==== $title: $verdict"
  {
    echo "# ${title^}: $verdict"
    echo
    echo "\`${*}\`, $((SECONDS - start)) s, $(date -u +%Y-%m-%d), commit $commit," \
      "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) threads"
    echo
    echo '```'
    tail -n "$lines" "$output"
    echo '```'
  } >"$results/$part.part"
  mv "$results/$part.part" "$results/$part.md"
}

for part in "${parts[@]}"; do
  case $part in
    tests | memory | tiers | kills | trainings | fuzzing | tokens | onnx | peers) ;;
    *) echo "scripts/check_long.sh: '$part': expected ${all_parts[*]}" >&2 && exit 2 ;;
  esac
done
cmake --build --preset release --parallel "$(nproc)" || exit
for part in "${parts[@]}"; do
  case $part in
    tests)
      check tests 'all tests' 3 \
        ctest --test-dir build/release --parallel "$(nproc)" --no-tests=error
      ;;
    memory)
      check memory 'a build of an input several times its memory' 8 \
        env "KITH_MEMORY_ROWS=${KITH_MEMORY_ROWS:-500000}" \
        build/release/cli_test --gtest_filter='LargerThanMemory.*'
      ;;
    tiers)
      check tiers 'searches in a collection several times their memory' 16 \
        env "KITH_TIER_ROWS=${KITH_TIER_ROWS:-500000}" \
        build/release/cli_test --gtest_filter='LargerThanMemorySearch.*'
      ;;
    kills)
      check kills 'kills during a save' 1 \
        tests/robustness/kill_during_save.sh build/release/kith "$kills"
      ;;
    trainings)
      check trainings 'kills during trainings' 1 \
        tests/robustness/kill_during_train.sh build/release/kith "$((kills / 30 + 1))"
      ;;
    fuzzing) check fuzzing 'fuzzing' 40 tests/fuzz.sh "$fuzz_seconds" ;;
    tokens)
      cmake --build --preset release --target compare_ids || exit
      check tokens 'token ids beside the reference' 400 \
        tests/tokenizers/compare.sh build/release/compare_ids
      ;;
    onnx)
      cmake --build --preset release --target onnx_vectors || exit
      check onnx 'exported models beside kith' 8 \
        tests/models/onnx.sh build/release/kith build/release/onnx_vectors
      ;;
    peers) check peers 'kith beside its peers' 60 make bench ;;
  esac
done

echo "the results are in $results"
exit $((failures > 0))
