#!/bin/bash
# The checks that take hours: many kills during a save, ten minutes of fuzzing a parser, and the
# comparison with the peers. Writes what came out to docs/check-long.md, failures included, and
# fails when one failed. KITH_FUZZ_SECONDS and KITH_KILLS shorten it.
set -uo pipefail
cd "$(dirname "$0")/.."
fuzz_seconds=${KITH_FUZZ_SECONDS:-600}
kills=${KITH_KILLS:-300}
log=build/check-long
report=docs/check-long.md
mkdir -p "$log" docs
failures=0

{
  echo '# The last long check'
  echo
  echo '`make check-long` writes this file.'
  echo
  echo "- Date: $(date -u +%Y-%m-%d)"
  echo "- Commit: $(git rev-parse --short HEAD)$(git diff --quiet HEAD || echo ' with local changes')"
  echo "- Processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) threads"
  echo
} >"$report.part"

# check TITLE LINES COMMAND...: runs it; the report gets the verdict and its last LINES lines.
check() {
  local title=$1 lines=$2 start=$SECONDS verdict=passed
  local output=$log/${1//[^a-z]/-}.log
  shift 2
  echo "==== $title"
  "$@" 2>&1 | tee "$output"
  [ "${PIPESTATUS[0]}" = 0 ] || { verdict=FAILED && failures=$((failures + 1)); }
  echo "==== $title: $verdict"
  {
    echo "## ${title^}: $verdict"
    echo
    echo "\`${*}\`, $((SECONDS - start)) s"
    echo
    echo '```'
    tail -n "$lines" "$output"
    echo '```'
    echo
  } >>"$report.part"
}

cmake --build --preset release --parallel "$(nproc)" || exit
check 'all tests' 3 ctest --test-dir build/release --parallel "$(nproc)" --no-tests=error
check 'kills during a save' 1 tests/robustness/kill_during_save.sh build/release/kith "$kills"
check 'fuzzing' 40 tests/fuzz.sh "$fuzz_seconds"
check 'kith beside its peers' 60 make bench
mv "$report.part" "$report"
echo "the result is in $report"
exit $((failures > 0))
