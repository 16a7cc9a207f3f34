// Scaled codes against a packed int8 query with AVX-512 VNNI, sixteen records at a time: eight
// share each load of the query, four by four their sums come out of one transposed addition, and
// the factors of all sixteen are transposed to vectors, so that the closing formula runs once.
#include "simd/tables.h"

#if KITH_X86

#include <algorithm>

#define KITH_AVX512_MORE ",avx512vnni,avx512vbmi"
#include "simd/avx512.h"

namespace kith::simd {
namespace {

// What stays the same over the records of one call.
struct Scorer {
  const unsigned char* first;       // the packed query, or its first part
  const unsigned char* second;      // 4 bits: its second part
  std::size_t bytes;                // of codes; the factors follow
  std::size_t last;                 // where the last 64 code bytes or fewer start
  __mmask64 mask;                   // of those
  std::size_t groups;               // of 64 dimensions, the last one perhaps shorter; other widths
  __mmask64 group_mask, tail_mask;  // of the bytes of a group and of the last one
  __m512 constant, norm, low, step;
};

KITH_AVX512_INLINE Scorer scorer(int bits, const ScaledQuery& query, std::size_t dim) {
  const std::size_t bytes = code_bytes(bits, dim), last = (bytes - 1) / 64 * 64;
  const auto* first = static_cast<const unsigned char*>(query.values);
  return {first,
          first + packed_query_bytes(bits, dim) / 2,
          bytes,
          last,
          _bzhi_u64(~0ull, static_cast<unsigned>(bytes - last)),
          (dim + 63) / 64,
          first64(std::min<std::size_t>(bytes, 8 * static_cast<std::size_t>(bits))),
          first64(bytes - (dim - 1) / 64 * 8 * static_cast<std::size_t>(bits)),
          _mm512_set1_ps(query.constant),
          _mm512_set1_ps(query.norm_weight),
          _mm512_set1_ps(query.low_weight),
          _mm512_set1_ps(query.step_weight)};
}

template <int bits>
KITH_AVX512_INLINE void add_codes(__m512i& sum, __m512i codes, __m512i first, __m512i second) {
  if constexpr (bits == 8) {
    add_byte_products(sum, codes, first);
    return;
  }
  const __m512i nibble = _mm512_set1_epi8(15);
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16(codes, 4), nibble);
  add_byte_products(sum, _mm512_and_si512(codes, nibble), first);
  add_byte_products(sum, high, second);
}

// 64 codes of `bits` bits, one after another, as bytes. Eight of them fill whole bytes, so each
// eight bytes of the result come from one permutation, which gathers theirs, and one shift of each
// byte by its own amount (VBMI). Single bits are a mask already.
template <int bits>
struct Expander {
  __m512i bytes, shifts, low;

  KITH_AVX512_INLINE Expander make() {
    const __m512i lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    const __m512i start = _mm512_mullo_epi64(lane, _mm512_set1_epi64(bits * 0x0101010101010101));
    return {_mm512_add_epi8(start, _mm512_set1_epi64(0x0706050403020100)),
            _mm512_set1_epi64(bits * 0x0706050403020100), _mm512_set1_epi8((1 << bits) - 1)};
  }
  KITH_AVX512_METHOD __m512i codes(const unsigned char* from, __mmask64 mask) const {
    if constexpr (bits == 1) {  // eight bytes are there, and what isn't a code meets zeros
      std::uint64_t ones;
      __builtin_memcpy(&ones, from, sizeof ones);
      return _mm512_maskz_mov_epi8(ones, low);
    }
    const __m512i gathered = _mm512_permutexvar_epi8(bytes, load(from, mask));
    return _mm512_and_si512(_mm512_multishift_epi64_epi8(shifts, gathered), low);
  }
  // No wider than need be: a load that crosses into the next line waits for it.
  KITH_AVX512_INLINE __m512i load(const unsigned char* from, __mmask64 mask) {
    if constexpr (bits == 2) {
      return _mm512_castsi128_si512(_mm_maskz_loadu_epi8(static_cast<__mmask16>(mask), from));
    } else if constexpr (bits == 3) {
      return _mm512_castsi256_si512(_mm256_maskz_loadu_epi8(static_cast<__mmask32>(mask), from));
    } else {
      return _mm512_maskz_loadu_epi8(mask, from);
    }
  }
};

template <int bits, int kRows>
KITH_AVX512_INLINE void sum_packed(const Scorer& s, const unsigned char* const (&row)[kRows],
                                   __m512i (&sum)[kRows]) {
  const auto expander = Expander<bits>::make();
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) sum[r] = _mm512_setzero_si512();
  for (std::size_t g = 0; g < s.groups; ++g) {
    const __m512i q = _mm512_load_si512(s.first + 64 * g);
    const __mmask64 mask = g + 1 == s.groups ? s.tail_mask : s.group_mask;
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const __m512i codes = expander.codes(row[r] + g * bits * 8, mask);
      add_byte_products(sum[r], codes, q);
    }
  }
}

// Integer sums of kRows records, not yet added across lanes.
template <int bits, int kRows>
KITH_AVX512_INLINE void sum_codes(const Scorer& s, const unsigned char* const (&row)[kRows],
                                  __m512i (&sum)[kRows]) {
  if constexpr (bits != 4 && bits != 8) return sum_packed<bits>(s, row, sum);
  __m512i second = _mm512_setzero_si512();
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) sum[r] = second;
  for (std::size_t i = 0; i < s.last; i += 64) {
    const __m512i first = _mm512_load_si512(s.first + i);
    if constexpr (bits == 4) second = _mm512_load_si512(s.second + i);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      add_codes<bits>(sum[r], _mm512_loadu_si512(row[r] + i), first, second);
    }
  }
  const __m512i first = _mm512_load_si512(s.first + s.last);
  if constexpr (bits == 4) second = _mm512_load_si512(s.second + s.last);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    const __m512i codes = _mm512_maskz_loadu_epi8(s.mask, row[r] + s.last);
    add_codes<bits>(sum[r], codes, first, second);
  }
}

// Lane g of the result: the lanes of part g added up.
KITH_AVX512_INLINE __m512i sum_lanes(const __m512i (&part)[4]) {
  const __m512i low = _mm512_add_epi32(_mm512_shuffle_i32x4(part[0], part[1], 0x44),
                                       _mm512_shuffle_i32x4(part[0], part[1], 0xee));
  const __m512i high = _mm512_add_epi32(_mm512_shuffle_i32x4(part[2], part[3], 0x44),
                                        _mm512_shuffle_i32x4(part[2], part[3], 0xee));
  return _mm512_add_epi32(_mm512_shuffle_i32x4(low, high, 0x88),
                          _mm512_shuffle_i32x4(low, high, 0xdd));
}

// Puts the 16 bytes that end with a record's factors, [codes, norm, low, step], into a lane.
KITH_AVX512_INLINE __m512 with_factors(__m512 lanes, int lane, const unsigned char* factors) {
  const auto mask = static_cast<__mmask16>(0xf << 4 * lane);
  const __m128 record = _mm_loadu_ps(reinterpret_cast<const float*>(factors - sizeof(float)));
  return _mm512_mask_broadcast_f32x4(lanes, mask, record);
}

// The closing formula. Lane g of factors[j] and element 4 g + j of sums belong to one record.
KITH_AVX512_INLINE __m512 close(const Scorer& s, __m512i sums, const __m512 (&factors)[4]) {
  const __m512d a = _mm512_castps_pd(_mm512_unpackhi_ps(factors[0], factors[1]));
  const __m512d b = _mm512_castps_pd(_mm512_unpackhi_ps(factors[2], factors[3]));
  const __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(factors[0], factors[1]));
  const __m512d d = _mm512_castps_pd(_mm512_unpacklo_ps(factors[2], factors[3]));
  const __m512 norm = _mm512_castpd_ps(_mm512_unpackhi_pd(c, d));
  const __m512 low = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
  const __m512 step = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
  const __m512 known = _mm512_fmadd_ps(s.low, low, _mm512_fmadd_ps(s.norm, norm, s.constant));
  return _mm512_fmadd_ps(_mm512_mul_ps(s.step, step), _mm512_cvtepi32_ps(sums), known);
}

// kGroups groups of four records from `begin`; the last record stands in for those past `end`.
template <int bits, int kGroups, class Rows>
KITH_AVX512_INLINE __m512 score(const Scorer& s, const Rows& source, std::size_t begin,
                                std::size_t end) {
  constexpr int kAtOnce = kGroups == 1 ? 4 : 8;  // records that share the loads of the query
  __m512i part[4];
  __m512 factors[4];
#pragma GCC unroll 4
  for (int g = 0; g < 4; ++g) part[g] = _mm512_setzero_si512(), factors[g] = _mm512_setzero_ps();
#pragma GCC unroll 4
  for (int at = 0; at < 4 * kGroups; at += kAtOnce) {
    const unsigned char* row[kAtOnce];
#pragma GCC unroll 8
    for (int r = 0; r < kAtOnce; ++r) {
      const std::size_t i = begin + static_cast<std::size_t>(at + r);
      row[r] = source[kGroups == 1 ? std::min(i, end - 1) : i];
    }
    __m512i sum[kAtOnce];
    sum_codes<bits>(s, row, sum);
#pragma GCC unroll 8
    for (int r = 0; r < kAtOnce; ++r) {
      factors[r % 4] = with_factors(factors[r % 4], (at + r) / 4, row[r] + s.bytes);
    }
#pragma GCC unroll 2
    for (int r = 0; r < kAtOnce; r += 4) {
      part[(at + r) / 4] = sums_in_lanes(sum[r], sum[r + 1], sum[r + 2], sum[r + 3]);
    }
  }
  return close(s, sum_lanes(part), factors);
}

template <int bits, class Rows>
KITH_AVX512_INLINE void score_all(const ScaledQuery& query, const Rows& source, std::size_t n,
                                  std::size_t dim, float* out) {
  const Scorer s = scorer(bits, query, dim);
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    source.prefetch(i, 16);
    _mm512_storeu_ps(out + i, score<bits, 4>(s, source, i, n));
  }
  if (i + 8 <= n) {
    _mm256_storeu_ps(out + i, _mm512_castps512_ps256(score<bits, 2>(s, source, i, n)));
    i += 8;
  }
  for (; i < n; i += 4) {
    const auto mask = static_cast<__mmask16>(n - i < 4 ? (1 << (n - i)) - 1 : 0xf);
    _mm512_mask_storeu_ps(out + i, mask, score<bits, 1>(s, source, i, n));
  }
}

// Below four code bytes the factors can't be loaded with what lies before them.
const ScaledKernels* portable(int bits, std::size_t dim) {
  if (code_bytes(bits, dim) >= sizeof(float)) return nullptr;
  return &tables_for(Level::scalar).scaled_int8[bits_index(bits)];
}

template <int bits>
KITH_AVX512 void many(const ScaledQuery& query, const void* records, std::size_t stride,
                      std::size_t n, std::size_t dim, float* out) {
  if (const ScaledKernels* small = portable(bits, dim)) {
    return small->many(query, records, stride, n, dim, out);
  }
  // 8-bit codes take so little work a line that asking for it costs more than it gives.
  const auto source = bits != 8 ? prefetched(records, stride, n, record_bytes(bits, dim))
                                : contiguous(records, stride);
  score_all<bits>(query, source, n, dim, out);
}

template <int bits>
KITH_AVX512 void gather(const ScaledQuery& query, const void* records, std::size_t stride,
                        const std::uint32_t* ids, std::size_t n, std::size_t dim, float* out) {
  if (const ScaledKernels* small = portable(bits, dim)) {
    return small->gather(query, records, stride, ids, n, dim, out);
  }
  score_all<bits>(query, gathered(records, stride, ids), n, dim, out);
}

template <int... bits>
void set_kernels(KernelTable& table) {
  ((table.scaled_int8[bits_index(bits)] = {many<bits>, gather<bits>}), ...);
}

}  // namespace

void add_vnni_scaled(Level level, KernelTable& table) {
  if (level != Level::avx512vnni) return;
  set_kernels<1, 2, 3, 4, 5, 6, 7, 8>(table);
}

}  // namespace kith::simd

#else

namespace kith::simd {
void add_vnni_scaled(Level, KernelTable&) {}
}  // namespace kith::simd

#endif
