#!/bin/bash
# tests/fuzz_report.sh: writes docs/fuzzing.md from the runs of tests/fuzz.sh and the coverage of
# tests/fuzz_coverage.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p docs
coverage=$(tests/fuzz_coverage.sh)
{
  cat <<'END'
# Fuzzing

Every parser of kith's own takes bytes from a stranger, so each has a libFuzzer target beside it
(`NAME_fuzz.cc`), built with AddressSanitizer and UndefinedBehaviorSanitizer. Fuzzing starts from
small valid files that `tests/fuzz_seeds.cc` writes. An input may end in a result, all of which is
then read, or in a `kith::Error`; a crash, an undefined operation, a leak, 20 seconds or 2 GiB are
failures.

    tests/fuzz.sh 600        # seconds for each target; keeps what it learns in build/fuzz/corpus
    tests/fuzz_report.sh     # writes this page

Lines are those of the target's own source file, `NAME.cc`. Lines that write files belong to those
files, too, and are not reached by reading; the round-trip tests cover them.

| target | seconds | executions | lines reached | of | share |
|---|---:|---:|---:|---:|---:|
END
  while IFS=$'\t' read -r target covered lines percent; do
    awk -F'\t' -v target="$target" -v tail="$covered | $lines | $percent %" '
      $1 == target { seconds += $2; runs += $3 }
      END { printf "| `%s` | %d | %d | %s |\n", target, seconds, runs, tail }' build/fuzz/runs.tsv
  done <<<"$coverage"
} >build/fuzz/fuzzing.md
mv build/fuzz/fuzzing.md docs/fuzzing.md
