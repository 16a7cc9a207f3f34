// Where a kernel's rows come from: contiguous, or gathered by id. Kernels are templates over these,
// so the one-to-many and the gathered form are one piece of code.
#pragma once

#include <cstddef>
#include <cstdint>

#define KITH_ALWAYS_INLINE inline __attribute__((always_inline))

namespace kith::simd {

// Rows that follow one another are read once and from memory. The processor's own prefetching keeps
// too few lines in flight for a kernel that takes long over each, so kernels ask for rows this far
// ahead of those they score.
inline constexpr std::size_t kPrefetchAhead = 2048;

struct ContiguousRows {
  const unsigned char* rows;
  std::size_t stride;
  std::size_t prefetched_bytes;  // from the first row on
  KITH_ALWAYS_INLINE const unsigned char* operator[](std::size_t i) const {
    return rows + i * stride;
  }
  // Before scoring rows [i, i + n).
  KITH_ALWAYS_INLINE void prefetch(std::size_t i, std::size_t n) const {
    const std::size_t begin = i * stride + kPrefetchAhead;
    const std::size_t end =
        begin + n * stride < prefetched_bytes ? begin + n * stride : prefetched_bytes;
    // Four lines a step, so that counting costs little.
    for (std::size_t at = begin; at < end; at += 256) {
#pragma GCC unroll 4
      for (std::size_t line = 0; line < 4; ++line) __builtin_prefetch(rows + at + 64 * line);
    }
  }
};

struct GatheredRows {
  const unsigned char* rows;
  std::size_t stride;
  const std::uint32_t* ids;
  KITH_ALWAYS_INLINE const unsigned char* operator[](std::size_t i) const {
    return rows + ids[i] * stride;
  }
  // Who gathers knows its next ids long before, and prefetches them itself.
  KITH_ALWAYS_INLINE void prefetch(std::size_t, std::size_t) const {}
};

// Without prefetching: floats need no conversion, so their kernels keep up with memory by
// themselves, and asking for every line twice slows them down.
KITH_ALWAYS_INLINE ContiguousRows contiguous(const void* rows, std::size_t stride) {
  return {static_cast<const unsigned char*>(rows), stride, 0};
}
// n rows of `bytes` each, prefetched; unless whole lines lie between them, which would be fetched
// for nothing.
KITH_ALWAYS_INLINE ContiguousRows prefetched(const void* rows, std::size_t stride, std::size_t n,
                                             std::size_t bytes) {
  return {static_cast<const unsigned char*>(rows), stride, stride < bytes + 64 ? n * stride : 0};
}
KITH_ALWAYS_INLINE GatheredRows gathered(const void* rows, std::size_t stride,
                                         const std::uint32_t* ids) {
  return {static_cast<const unsigned char*>(rows), stride, ids};
}

}  // namespace kith::simd
