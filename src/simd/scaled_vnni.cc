// Scaled codes against a packed int8 query with AVX-512 VNNI, sixteen records at a time: four by
// four, the records' integer sums come out of one transposed addition, and the factors of all
// sixteen are transposed to vectors, so that the closing formula runs once for sixteen.
#include "simd/tables.h"

#if KITH_X86

#include <algorithm>

#include "simd/intrinsics.h"
#include "simd/row_source.h"

#define KITH_VNNI \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,bmi2,fma")))
#define KITH_VNNI_INLINE KITH_VNNI __attribute__((always_inline)) inline

namespace kith::simd {
namespace {

// What stays the same over the records of one call.
struct Shape {
  const unsigned char* first;   // the packed query, or its first part
  const unsigned char* second;  // 4 bits: its second part
  std::size_t whole;            // code bytes that are loaded 64 at a time
  __mmask64 tail;               // the bytes after those
  std::size_t factors;          // where the factors start
};

KITH_VNNI_INLINE Shape shape(int bits, const ScaledQuery& query, std::size_t stride,
                             std::size_t dim) {
  const std::size_t bytes = code_bytes(bits, dim);
  Shape s;
  s.first = static_cast<const unsigned char*>(query.values);
  s.second = s.first + packed_query_bytes(bits, dim) / 2;
  s.whole = bytes / 64 * 64;
  s.tail = _bzhi_u64(~0ull, static_cast<unsigned>(bytes % 64));
  s.factors = bytes;
  // The query is zero past its end, so where a record has the bytes a plain load does as well.
  if (s.tail != 0 && s.whole + 64 <= stride) s.whole += 64, s.tail = 0;
  return s;
}

template <int bits>
KITH_VNNI_INLINE void add_codes(__m512i& sum, __m512i codes, __m512i first, __m512i second) {
  if constexpr (bits == 8) {
    sum = _mm512_dpbusd_epi32(sum, codes, first);
  } else {
    const __m512i nibble = _mm512_set1_epi8(15);
    sum = _mm512_dpbusd_epi32(sum, _mm512_and_si512(codes, nibble), first);
    sum = _mm512_dpbusd_epi32(sum, _mm512_and_si512(_mm512_srli_epi16(codes, 4), nibble), second);
  }
}

// In each 128-bit lane: that lane's sums of the four records.
template <int bits>
KITH_VNNI_INLINE __m512i sum_four(const Shape& s, const unsigned char* const* rows) {
  __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a, second = a;
  for (std::size_t i = 0; i < s.whole; i += 64) {
    const __m512i first = _mm512_load_si512(s.first + i);
    if constexpr (bits == 4) second = _mm512_load_si512(s.second + i);
    add_codes<bits>(a, _mm512_loadu_si512(rows[0] + i), first, second);
    add_codes<bits>(b, _mm512_loadu_si512(rows[1] + i), first, second);
    add_codes<bits>(c, _mm512_loadu_si512(rows[2] + i), first, second);
    add_codes<bits>(d, _mm512_loadu_si512(rows[3] + i), first, second);
  }
  if (s.tail != 0) {
    const std::size_t i = s.whole;
    const __m512i first = _mm512_load_si512(s.first + i);
    if constexpr (bits == 4) second = _mm512_load_si512(s.second + i);
    add_codes<bits>(a, _mm512_maskz_loadu_epi8(s.tail, rows[0] + i), first, second);
    add_codes<bits>(b, _mm512_maskz_loadu_epi8(s.tail, rows[1] + i), first, second);
    add_codes<bits>(c, _mm512_maskz_loadu_epi8(s.tail, rows[2] + i), first, second);
    add_codes<bits>(d, _mm512_maskz_loadu_epi8(s.tail, rows[3] + i), first, second);
  }
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
  return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}

// Lane g of the result: the lanes of part g added up.
KITH_VNNI_INLINE __m512i sum_lanes(const __m512i* part) {
  const __m512i low = _mm512_add_epi32(_mm512_shuffle_i32x4(part[0], part[1], 0x44),
                                       _mm512_shuffle_i32x4(part[0], part[1], 0xee));
  const __m512i high = _mm512_add_epi32(_mm512_shuffle_i32x4(part[2], part[3], 0x44),
                                        _mm512_shuffle_i32x4(part[2], part[3], 0xee));
  return _mm512_add_epi32(_mm512_shuffle_i32x4(low, high, 0x88),
                          _mm512_shuffle_i32x4(low, high, 0xdd));
}

// Puts [0, norm, low, step] of a record into the named lane.
KITH_VNNI_INLINE __m512 with_factors(__m512 lanes, __mmask16 lane, const unsigned char* factors) {
  constexpr __mmask8 kBehindOne = 0xe;
  return _mm512_mask_broadcast_f32x4(lanes, lane, _mm_maskz_loadu_ps(kBehindOne, factors - 4));
}

// Up to sixteen records from `begin`; the last one stands in for those past `end`.
template <int bits, class Rows>
KITH_VNNI_INLINE __m512 score_sixteen(const ScaledQuery& query, const Shape& s, const Rows& source,
                                      std::size_t begin, std::size_t end) {
  __m512i part[4];
  __m512 f0 = _mm512_setzero_ps(), f1 = f0, f2 = f0, f3 = f0;
  for (int g = 0; g < 4; ++g) {
    const std::size_t at = begin + 4 * static_cast<std::size_t>(g);
    part[g] = _mm512_setzero_si512();
    if (at >= end) continue;
    const unsigned char* rows[4];
    for (std::size_t r = 0; r < 4; ++r) rows[r] = source[std::min(at + r, end - 1)];
    part[g] = sum_four<bits>(s, rows);
    const auto lane = static_cast<__mmask16>(0xfu << (4 * g));
    f0 = with_factors(f0, lane, rows[0] + s.factors);
    f1 = with_factors(f1, lane, rows[1] + s.factors);
    f2 = with_factors(f2, lane, rows[2] + s.factors);
    f3 = with_factors(f3, lane, rows[3] + s.factors);
  }
  const __m512 sums = _mm512_cvtepi32_ps(sum_lanes(part));
  // Transposes four records' factors in every lane.
  const __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(f0, f1));
  const __m512d low23 = _mm512_castps_pd(_mm512_unpacklo_ps(f2, f3));
  const __m512d high01 = _mm512_castps_pd(_mm512_unpackhi_ps(f0, f1));
  const __m512d high23 = _mm512_castps_pd(_mm512_unpackhi_ps(f2, f3));
  const __m512 norm = _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23));
  const __m512 low = _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23));
  const __m512 step = _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23));
  __m512 result = _mm512_set1_ps(query.constant);
  result = _mm512_fmadd_ps(_mm512_set1_ps(query.norm_weight), norm, result);
  result = _mm512_fmadd_ps(_mm512_set1_ps(query.low_weight), low, result);
  return _mm512_fmadd_ps(_mm512_mul_ps(_mm512_set1_ps(query.step_weight), step), sums, result);
}

template <int bits, class Rows>
KITH_VNNI_INLINE void score_all(const ScaledQuery& query, const Rows& source, std::size_t n,
                                std::size_t dim, float* out) {
  const Shape s = shape(bits, query, source.stride, dim);
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    _mm512_storeu_ps(out + i, score_sixteen<bits>(query, s, source, i, i + 16));
  }
  if (i < n) {
    const auto mask = static_cast<__mmask16>((1u << (n - i)) - 1);
    _mm512_mask_storeu_ps(out + i, mask, score_sixteen<bits>(query, s, source, i, n));
  }
}

template <int bits>
KITH_VNNI void many(const ScaledQuery& query, const void* records, std::size_t stride,
                    std::size_t n, std::size_t dim, float* out) {
  score_all<bits>(query, contiguous(records, stride), n, dim, out);
}

template <int bits>
KITH_VNNI void gather(const ScaledQuery& query, const void* records, std::size_t stride,
                      const std::uint32_t* ids, std::size_t n, std::size_t dim, float* out) {
  score_all<bits>(query, gathered(records, stride, ids), n, dim, out);
}

}  // namespace

void add_vnni_scaled(Level level, KernelTable& table) {
  if (level != Level::avx512vnni) return;
  table.scaled_int8[0] = {many<4>, gather<4>};
  table.scaled_int8[1] = {many<8>, gather<8>};
}

}  // namespace kith::simd

#else

namespace kith::simd {
void add_vnni_scaled(Level, KernelTable&) {}
}  // namespace kith::simd

#endif
