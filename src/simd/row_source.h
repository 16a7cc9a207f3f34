// Where a kernel's rows come from: contiguous, or gathered by id. Kernels are templates over these,
// so the one-to-many and the gathered form are one piece of code.
#pragma once

#include <cstddef>
#include <cstdint>

#define KITH_ALWAYS_INLINE inline __attribute__((always_inline))

namespace kith::simd {

struct ContiguousRows {
  const unsigned char* rows;
  std::size_t stride;
  KITH_ALWAYS_INLINE const unsigned char* operator[](std::size_t i) const {
    return rows + i * stride;
  }
};

struct GatheredRows {
  const unsigned char* rows;
  std::size_t stride;
  const std::uint32_t* ids;
  KITH_ALWAYS_INLINE const unsigned char* operator[](std::size_t i) const {
    return rows + ids[i] * stride;
  }
};

KITH_ALWAYS_INLINE ContiguousRows contiguous(const void* rows, std::size_t stride) {
  return {static_cast<const unsigned char*>(rows), stride};
}
KITH_ALWAYS_INLINE GatheredRows gathered(const void* rows, std::size_t stride,
                                         const std::uint32_t* ids) {
  return {static_cast<const unsigned char*>(rows), stride, ids};
}

}  // namespace kith::simd
