// Blocks of 4-bit product codes with AVX-512 VBMI and VNNI: one byte permutation looks up 64
// entries in four parts' tables at once, one dot product with ones adds each code's four.
#include "simd/tables.h"

#if KITH_X86
#define KITH_AVX512_MORE ",avx512vbmi,avx512vnni"
#include "simd/avx512.h"

namespace kith::simd {
namespace {

// Sums of kBlocks blocks: sums[2 b] of codes 0 to 15 of block b, sums[2 b + 1] of 16 to 31.
template <int kBlocks>
KITH_AVX512_INLINE void sum_blocks(const BlockQuery& query, const std::uint8_t* block,
                                   __m512i (&sums)[2 * kBlocks]) {
  const std::size_t bytes = block_bytes(query.parts);
  // A byte's index: its nibble below, its part of the four above.
  const __m512i part = _mm512_set1_epi32(0x30201000), nibble = _mm512_set1_epi8(15);
  const __m512i ones = _mm512_set1_epi8(1);
#pragma GCC unroll 8
  for (int s = 0; s < 2 * kBlocks; ++s) sums[s] = _mm512_setzero_si512();
  for (std::size_t at = 0; at < bytes; at += 64) {
    const __m512i entries = _mm512_load_si512(query.tables + at);
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) {
      const __m512i codes = _mm512_loadu_si512(block + static_cast<std::size_t>(b) * bytes + at);
      // (codes & nibble) | part
      const __m512i low = _mm512_ternarylogic_epi32(codes, nibble, part, 0xea);
      const __m512i high =
          _mm512_ternarylogic_epi32(_mm512_srli_epi16(codes, 4), nibble, part, 0xea);
      sums[2 * b] = _mm512_dpbusd_epi32(sums[2 * b], _mm512_permutexvar_epi8(low, entries), ones);
      sums[2 * b + 1] =
          _mm512_dpbusd_epi32(sums[2 * b + 1], _mm512_permutexvar_epi8(high, entries), ones);
    }
  }
}

struct Found {
  const BlockQuery& query;
  const float* terms;
  std::size_t n;
  float limit;
  int most;  // the largest sum whose estimate is within the limit, where there are no terms
  float* estimates;
  std::uint32_t* places;
  std::size_t count = 0;

  KITH_AVX512_METHOD __m512 estimate(__m512i sums) const {
    return _mm512_fmadd_ps(_mm512_set1_ps(query.scale), _mm512_cvtepi32_ps(sums),
                           _mm512_set1_ps(query.offset));
  }

  // The codes of kVectors vectors from `place` on; places may lie beyond n by less than a block.
  template <std::size_t kVectors>
  KITH_AVX512_METHOD void add(const __m512i (&sums)[kVectors], std::size_t place) {
    if (terms != nullptr) {
#pragma GCC unroll 8
      for (std::size_t s = 0; s < kVectors; ++s) add_with_terms(sums[s], place + 16 * s);
      return;
    }
    // Most blocks have no hit, which one comparison of the smallest sums shows.
    __m512i smallest = sums[0];
#pragma GCC unroll 8
    for (std::size_t s = 1; s < kVectors; ++s) smallest = _mm512_min_epi32(smallest, sums[s]);
    const __m512i bound = _mm512_set1_epi32(most);
    if (_mm512_cmple_epi32_mask(smallest, bound) == 0) return;
#pragma GCC unroll 8
    for (std::size_t s = 0; s < kVectors; ++s) {
      const __mmask16 hits = _mm512_mask_cmple_epi32_mask(lanes(place + 16 * s), sums[s], bound);
      if (hits != 0) store(estimate(sums[s]), hits, place + 16 * s);
    }
  }

 private:
  KITH_AVX512_METHOD __mmask16 lanes(std::size_t place) const {
    return place >= n ? 0 : first16(n - place < 16 ? n - place : 16);
  }

  KITH_AVX512_METHOD void add_with_terms(__m512i sums, std::size_t place) {
    const __mmask16 there = lanes(place);
    const __m512 values =
        _mm512_add_ps(estimate(sums), _mm512_maskz_loadu_ps(there, terms + place));
    const __mmask16 hits =
        _mm512_mask_cmp_ps_mask(there, values, _mm512_set1_ps(limit), _CMP_LE_OQ);
    if (hits != 0) store(values, hits, place);
  }

  // There is room for whole blocks, and no more was found than came by.
  KITH_AVX512_METHOD void store(__m512 values, __mmask16 hits, std::size_t place) {
    const __m512i index =
        _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(place)),
                         _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    _mm512_storeu_ps(estimates + count, _mm512_maskz_compress_ps(hits, values));
    _mm512_storeu_si512(places + count, _mm512_maskz_compress_epi32(hits, index));
    count += static_cast<std::size_t>(_mm_popcnt_u32(hits));
  }
};

KITH_AVX512_INLINE bool is_within(const BlockQuery& query, int sum, float limit) {
  const __m128 value = _mm_fmadd_ss(_mm_set_ss(query.scale), _mm_set_ss(static_cast<float>(sum)),
                                    _mm_set_ss(query.offset));
  return _mm_cvtss_f32(value) <= limit;
}

// The largest sum whose estimate, rounded as it is, is within the limit; -1 when none is.
KITH_AVX512 int largest_sum(const BlockQuery& query, float limit) {
  const int all = static_cast<int>(255 * query.parts);
  if (is_within(query, all, limit)) return all;
  if (!is_within(query, 0, limit)) return -1;
  int low = 0, high = all;
  const int guess = static_cast<int>((limit - query.offset) / query.scale);
  if (guess > low && guess < high) {
    (is_within(query, guess, limit) ? low : high) = guess;
    const int beside = low == guess ? guess + 1 : guess - 1;
    (is_within(query, beside, limit) ? low : high) = beside;
  }
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (is_within(query, middle, limit) ? low : high) = middle;
  }
  return low;
}

template <int kBlocks>
KITH_AVX512_INLINE void scan_some(const BlockQuery& query, const std::uint8_t* blocks,
                                  std::size_t place, Found& found) {
  __m512i sums[2 * kBlocks];
  sum_blocks<kBlocks>(query, blocks + place / kBlockCodes * block_bytes(query.parts), sums);
  found.add(sums, place);
}

KITH_AVX512 std::size_t scan(const BlockQuery& query, const std::uint8_t* blocks,
                             const float* terms, std::size_t n, float limit, float* estimates,
                             std::uint32_t* places) {
  constexpr int kAtOnce = 4;  // blocks that share the loads of the tables
  const int most = terms == nullptr ? largest_sum(query, limit) : 0;
  Found found{query, terms, n, limit, most, estimates, places};
  std::size_t place = 0;
  for (; place + (kAtOnce - 1) * kBlockCodes < n; place += kAtOnce * kBlockCodes) {
    scan_some<kAtOnce>(query, blocks, place, found);
  }
  if (place + 2 * kBlockCodes < n) {
    scan_some<3>(query, blocks, place, found);
  } else if (place + kBlockCodes < n) {
    scan_some<2>(query, blocks, place, found);
  } else if (place < n) {
    scan_some<1>(query, blocks, place, found);
  }
  return found.count;
}

}  // namespace

void add_vbmi_blocks(Level level, KernelTable& table) {
  if (level == Level::avx512vnni) table.scan_blocks = scan;
}

}  // namespace kith::simd

#else

namespace kith::simd {
void add_vbmi_blocks(Level, KernelTable&) {}
}  // namespace kith::simd

#endif
