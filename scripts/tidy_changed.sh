#!/bin/bash
# clang-tidy-16 on the sources that changed: against $KITH_TIDY_BASE when set, else against the
# merge base with origin/main, else (a fresh clone of main itself) on those committed last.
# A changed header brings in the source of the same name. Needs build/release configured.
set -euo pipefail
cd "$(dirname "$0")/.."
most=${KITH_TIDY_MOST:-30}  # files a run looks at; about 5 CPU seconds each

base=${KITH_TIDY_BASE:-$(git merge-base HEAD origin/main 2>/dev/null || true)}
if [ -n "$base" ] && [ "$(git rev-parse "$base")" != "$(git rev-parse HEAD)" ]; then
  since="since ${base:0:12}"
  changed=$(git diff --name-only --diff-filter=d "$base")
else
  since="in the last commits"
  changed=$(git log --name-only --diff-filter=d --format= HEAD | awk '!seen[$0]++')
fi

# Only sources that the release build compiles have a command line to check them with.
files=()
for file in $changed; do
  case $file in
    *_test.cc) continue ;;  # the test macros alone trip several checks
    bench/peers/* | papers/peers/*) continue ;;  # the peers' headers g++ alone can read
    src/learn/*) continue ;;  # so it is with LibTorch's, precompiled or as C++20
    *.cc) ;;
    *.h) file=${file%.h}.cc ;;
    *) continue ;;
  esac
  grep -q "\"file\": \"$PWD/$file\"" build/release/compile_commands.json || continue
  [[ " ${files[*]} " == *" $file "* ]] || files+=("$file")
done
total=${#files[@]}
if [ "$total" = 0 ]; then
  echo "no source changed $since"
  exit 0
fi
files=("${files[@]:0:most}")
echo "checking ${#files[@]} of $total sources changed $since"
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-16 -p build/release --quiet --warnings-as-errors='*' \
    --extra-arg=-fno-openmp \
    2> >(grep -v 'warnings generated\|^Suppressed\|^Use -' >&2)
