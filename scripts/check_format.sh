#!/bin/bash
# Fails when clang-format-16 would change a tracked C or C++ file.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -d '' -t files < <(git ls-files -z '*.h' '*.cc' '*.c')
clang-format-16 --dry-run -Werror "${files[@]}"
echo "${#files[@]} files are formatted"
