// For files that Highway compiles for several instruction sets: which of their `kKernels` serves a
// level. To be included and used where HWY_ONCE is 1, after hwy/highway.h.
#pragma once

#if HWY_TARGETS & HWY_AVX3
#define KITH_AVX3_CASES(kernels) \
  case Level::avx512:            \
  case Level::avx512vnni:        \
  case Level::avx512bf16:        \
  case Level::amx:               \
    return N_AVX3::kernels;
#else
#define KITH_AVX3_CASES(kernels)
#endif
#if HWY_TARGETS & HWY_AVX2
#define KITH_AVX2_CASE(kernels) \
  case Level::avx2:             \
    return N_AVX2::kernels;
#else
#define KITH_AVX2_CASE(kernels)
#endif
#if HWY_TARGETS & HWY_SSE4
#define KITH_SSE4_CASE(kernels) \
  case Level::sse4:             \
    return N_SSE4::kernels;
#else
#define KITH_SSE4_CASE(kernels)
#endif

// The body of a function that returns the level's kernels.
#define KITH_RETURN_BY_LEVEL(level, kernels) \
  switch (level) {                           \
    KITH_AVX3_CASES(kernels)                 \
    KITH_AVX2_CASE(kernels)                  \
    KITH_SSE4_CASE(kernels)                  \
    default:                                 \
      return HWY_STATIC_DISPATCH(kernels);   \
  }
