#!/bin/bash
# Builds the kernels and their tests for aarch64 and runs them under qemu.
# Usage: tests/neon/run.sh BUILD_FOLDER
set -euo pipefail
here=$(realpath "$(dirname "$0")")
build=$(realpath "$1")/neon

# Highway is headers alone, the same ones for every processor; a folder that holds nothing else
# keeps this machine's own headers away from the cross compiler.
mkdir -p "$build/include"
ln -sfn /usr/include/hwy "$build/include/hwy"

cmake -S "$here" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O2 \
  -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc \
  -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)" \
  -DHIGHWAY_INCLUDE="$build/include" >"$build/configure.log" || { cat "$build/configure.log"; exit 1; }
cmake --build "$build" --target simd_test
exec qemu-aarch64-static "$build/simd_test" --gtest_brief=1
