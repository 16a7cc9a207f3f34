// Which instruction set the kernels use: the best this processor has, or the one named by the
// environment variable KITH_SIMD (scalar, sse4, avx2, avx512, avx512vnni, neon ...), chosen once.
// This is libkith's only global state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kith::simd {

enum class Level : int {
  scalar = 0,      // portable C++
  sse4 = 1,        // SSE4.2 with POPCNT
  avx2 = 2,        // AVX2 + FMA + F16C
  avx512 = 3,      // AVX-512 F, BW, CD, DQ, VL
  avx512vnni = 4,  // + VNNI, VPOPCNTDQ, VBMI
  avx512bf16 = 5,  // + BF16 dot product
  amx = 6,         // + tile registers for bytes and bfloat16, if the system lets them be used
  neon = 10,
};

// The level in use. Throws invalid_argument when KITH_SIMD names an unknown level or one this
// processor lacks.
Level level();
std::string_view name(Level level);
// Levels this processor can run, ascending.
std::vector<Level> supported_levels();

}  // namespace kith::simd
