#!/bin/bash
# Runs kith and its kernel tests on processors older than this one (under qemu), and with every
# instruction set of this one forced. An illegal instruction fails it.
# Usage: tests/old_cpu.sh BUILD_FOLDER
set -euo pipefail
build=$(realpath "$1")
bench=("$build/kith" bench kernels --only "8-bit codes" --dim 100 --memory 16 --seconds 0.0001)

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# The levels of this processor, from the message about one that doesn't exist.
said=$(KITH_SIMD=nonesuch "${bench[@]}" 2>&1) && fail "KITH_SIMD=nonesuch was accepted"
[ "$(wc -l <<<"$said")" = 1 ] || fail "KITH_SIMD=nonesuch says more than a line: $said"
levels=$(sed -n 's/.*instruction sets are //p' <<<"$said" | tr -d ,)
[ -n "$levels" ] || fail "no instruction sets in: $said"
for level in $levels; do
  KITH_SIMD=$level "${bench[@]}" | grep -q "instruction set: $level" || fail "$level does not run"
done

# Before SSE4, with SSE4, with AVX2.
for pair in core2duo:scalar Nehalem:sse4 Haswell:avx2; do
  cpu=${pair%:*} level=${pair#*:}
  on=(qemu-x86_64-static -cpu "$cpu")
  "${on[@]}" "${bench[@]}" 2>"$build/old_cpu.log" | grep -q "instruction set: $level" ||
    fail "kith on $cpu, expected $level: $(cat "$build/old_cpu.log")"
  "${on[@]}" "$build/simd_test" --gtest_brief=1 --gtest_filter="*/EveryLevel*.*/$level" \
    2>"$build/old_cpu.log" || fail "simd_test on $cpu: $(cat "$build/old_cpu.log")"
  KITH_SIMD=avx512vnni "${on[@]}" "${bench[@]}" >/dev/null 2>&1 &&
    fail "avx512vnni was accepted on $cpu"
done
echo "kith runs on every level of: $levels, and on core2duo, Nehalem and Haswell"
