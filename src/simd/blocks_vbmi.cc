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
  const float* terms;
  std::size_t n;
  float limit;
  float* estimates;
  std::uint32_t* places;
  std::size_t count = 0;

  // The codes from `place` on; places are below n + 16.
  KITH_AVX512_METHOD void add(const BlockQuery& query, __m512i sums, std::size_t place) {
    if (place >= n) return;
    const __mmask16 lanes = first16(n - place < 16 ? n - place : 16);
    __m512 values = _mm512_fmadd_ps(_mm512_set1_ps(query.scale), _mm512_cvtepi32_ps(sums),
                                    _mm512_set1_ps(query.offset));
    if (terms != nullptr)
      values = _mm512_add_ps(values, _mm512_maskz_loadu_ps(lanes, terms + place));
    const __mmask16 hits =
        _mm512_mask_cmp_ps_mask(lanes, values, _mm512_set1_ps(limit), _CMP_LE_OQ);
    if (hits == 0) return;
    const __m512i index =
        _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(place)),
                         _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    // There is room for whole blocks, and no more was found than came by.
    _mm512_storeu_ps(estimates + count, _mm512_maskz_compress_ps(hits, values));
    _mm512_storeu_si512(places + count, _mm512_maskz_compress_epi32(hits, index));
    count += static_cast<std::size_t>(_mm_popcnt_u32(hits));
  }
};

KITH_AVX512 std::size_t scan(const BlockQuery& query, const std::uint8_t* blocks,
                             const float* terms, std::size_t n, float limit, float* estimates,
                             std::uint32_t* places) {
  constexpr int kAtOnce = 4;  // blocks that share the loads of the tables
  Found found{terms, n, limit, estimates, places};
  const std::size_t bytes = block_bytes(query.parts);
  std::size_t place = 0;
  for (; place + (kAtOnce - 1) * kBlockCodes < n; place += kAtOnce * kBlockCodes) {
    __m512i sums[2 * kAtOnce];
    sum_blocks<kAtOnce>(query, blocks + place / kBlockCodes * bytes, sums);
#pragma GCC unroll 8
    for (std::size_t s = 0; s < 2 * kAtOnce; ++s) found.add(query, sums[s], place + 16 * s);
  }
  for (; place < n; place += kBlockCodes) {
    __m512i sums[2];
    sum_blocks<1>(query, blocks + place / kBlockCodes * bytes, sums);
    found.add(query, sums[0], place);
    found.add(query, sums[1], place + 16);
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
