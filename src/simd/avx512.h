// What the raw AVX-512 kernels share: their target attribute, sums across the lanes of several
// registers at once, and blocks of rows. Included only where KITH_X86 is 1, after tables.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/intrinsics.h"
#include "simd/row_source.h"

// A file that needs more than AVX-512 F, BW, CD, DQ and VL names it before it includes this header;
// everything here is internal to the file, so it is compiled for the same.
#ifndef KITH_AVX512_MORE
#define KITH_AVX512_MORE ""
#endif
#define KITH_AVX512_TARGET                                                      \
  target(                                                                       \
      "avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512cd,avx512dq," \
      "avx512vl" KITH_AVX512_MORE)
#define KITH_AVX512 __attribute__((KITH_AVX512_TARGET))
#define KITH_AVX512_METHOD inline __attribute__((always_inline, KITH_AVX512_TARGET))
#define KITH_AVX512_INLINE static KITH_AVX512_METHOD

namespace kith::simd {

// The lowest n lanes of 16 or of 64; n is below 256.
KITH_AVX512_INLINE __mmask16 first16(std::size_t n) {
  return static_cast<__mmask16>(_bzhi_u32(0xffffu, static_cast<unsigned>(n)));
}
// Lanes of the step at i that lie before n.
KITH_AVX512_INLINE __mmask16 lanes_at(std::size_t i, std::size_t n) {
  return n - i < 16 ? first16(n - i) : static_cast<__mmask16>(0xffff);
}
KITH_AVX512_INLINE __mmask64 first64(std::size_t n) {
  return _bzhi_u64(~0ull, static_cast<unsigned>(n));
}

// Adds the products of four unsigned by four signed bytes to each lane (VNNI). For the intrinsic
// GCC 12 copies every sum there and back.
KITH_AVX512_INLINE void add_byte_products(__m512i& sums, __m512i bytes, __m512i signed_bytes) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(bytes), "v"(signed_bytes));
}

// How many bits of the mask are set. For the intrinsic GCC 12 may keep the mask in memory, as 16
// bits, and count 32.
KITH_AVX512_INLINE unsigned ones_in(__mmask16 mask) {
  unsigned bits;
  __asm__("kmovw %1, %0" : "=r"(bits) : "k"(mask));
  return static_cast<unsigned>(_mm_popcnt_u32(bits));
}

// One 128-bit lane of the result holds partial sums of a, b, c, d; the four lanes are yet to be
// added.
KITH_AVX512_INLINE __m512 sums_in_lanes(__m512 a, __m512 b, __m512 c, __m512 d) {
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  const __m512d x = _mm512_castps_pd(ab), y = _mm512_castps_pd(cd);
  return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(x, y)),
                       _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)));
}
KITH_AVX512_INLINE __m512i sums_in_lanes(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i x = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  const __m512i y = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
  return _mm512_add_epi32(_mm512_unpacklo_epi64(x, y), _mm512_unpackhi_epi64(x, y));
}

// The sums of four registers.
KITH_AVX512_INLINE __m128 lane_sums(const __m512 (&v)[4]) {
  const __m512 s = sums_in_lanes(v[0], v[1], v[2], v[3]);
  const __m256 t = _mm256_add_ps(_mm512_castps512_ps256(s), _mm512_extractf32x8_ps(s, 1));
  return _mm_add_ps(_mm256_castps256_ps128(t), _mm256_extractf128_ps(t, 1));
}
KITH_AVX512_INLINE __m128i lane_sums(const __m512i (&v)[4]) {
  const __m512i s = sums_in_lanes(v[0], v[1], v[2], v[3]);
  const __m256i t = _mm256_add_epi32(_mm512_castsi512_si256(s), _mm512_extracti64x4_epi64(s, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(t), _mm256_extracti128_si256(t, 1));
}

// The sums of eight registers.
KITH_AVX512_INLINE __m256 lane_sums(const __m512 (&v)[8]) {
  const __m512 a = sums_in_lanes(v[0], v[1], v[2], v[3]);
  const __m512 b = sums_in_lanes(v[4], v[5], v[6], v[7]);
  const __m512 s =
      _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
  return _mm512_castps512_ps256(
      _mm512_add_ps(_mm512_shuffle_f32x4(s, s, 0x88), _mm512_shuffle_f32x4(s, s, 0xdd)));
}
KITH_AVX512_INLINE __m256i lane_sums(const __m512i (&v)[8]) {
  const __m512i a = sums_in_lanes(v[0], v[1], v[2], v[3]);
  const __m512i b = sums_in_lanes(v[4], v[5], v[6], v[7]);
  const __m512i s =
      _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x44), _mm512_shuffle_i32x4(a, b, 0xee));
  return _mm512_castsi512_si256(
      _mm512_add_epi32(_mm512_shuffle_i32x4(s, s, 0x88), _mm512_shuffle_i32x4(s, s, 0xdd)));
}

// Rows [first, first + kRows) of a source; those from n on repeat the last row.
template <std::size_t kRows>
struct RowBlock {
  const unsigned char* row[kRows];
};
template <std::size_t kRows, class Rows>
KITH_ALWAYS_INLINE RowBlock<kRows> whole_block(const Rows& rows, std::size_t first) {
  RowBlock<kRows> block;
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) block.row[r] = rows[first + r];
  return block;
}
template <std::size_t kRows, class Rows>
KITH_ALWAYS_INLINE RowBlock<kRows> last_block(const Rows& rows, std::size_t first, std::size_t n) {
  RowBlock<kRows> block;
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
    block.row[r] = rows[first + r < n ? first + r : n - 1];
  }
  return block;
}

// Runs a kernel over n rows, kMost (8 or 4) at a time, then four. kernel.score<8>(block) gives the
// results of eight rows as __m256, kernel.score<4>(block) those of four as __m128.
template <std::size_t kMost, class Kernel, class Rows, class Out>
KITH_AVX512_INLINE void score_rows(const Kernel& kernel, const Rows& rows, std::size_t n,
                                   Out* out) {
  std::size_t i = 0;
  if constexpr (kMost == 8) {
    for (; i + 8 <= n; i += 8) {
      rows.prefetch(i, 8);
      const auto scores = kernel.template score<8>(whole_block<8>(rows, i));
      __builtin_memcpy(out + i, &scores, sizeof(scores));
    }
  }
  for (; i + 4 <= n; i += 4) {
    rows.prefetch(i, 4);
    const auto scores = kernel.template score<4>(whole_block<4>(rows, i));
    __builtin_memcpy(out + i, &scores, sizeof(scores));
  }
  if (i < n) {
    const auto scores = kernel.template score<4>(last_block<4>(rows, i, n));
    __builtin_memcpy(out + i, &scores, (n - i) * sizeof(Out));
  }
}

}  // namespace kith::simd
