// Included before hwy/foreach_target.h: which instruction sets Highway compiles a file for. Only
// its headers are used: no libhwy, no run-time dispatch of its own (see dispatch.h), and no
// assertions, which would call into that library.
#pragma once

#include "simd/intrinsics.h"

#define HWY_IS_DEBUG_BUILD 0
#define HWY_DISABLE_PCLMUL_AES
#include "hwy/detect_targets.h"
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
