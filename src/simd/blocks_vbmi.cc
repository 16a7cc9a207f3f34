// Blocks of 4-bit product codes with AVX-512 VBMI and VNNI: one byte permutation looks up 64
// entries in four parts' tables at once, one dot product with ones adds each code's four.
#include "simd/tables.h"

#if KITH_X86

#include <utility>

#define KITH_AVX512_MORE ",avx512vbmi,avx512vnni"
#include "simd/avx512.h"

namespace kith::simd {
namespace {

// Sums of kQueries queries over kBlocks blocks: sums[q][2 b] of codes 0 to 15 of block b,
// sums[q][2 b + 1] of 16 to 31. Every code is taken apart once for all queries.
template <int kQueries, int kBlocks>
KITH_AVX512_INLINE void sum_blocks(const std::uint8_t* const (&tables)[kQueries], std::size_t bytes,
                                   const std::uint8_t* block, const std::uint8_t* next,
                                   __m512i (&sums)[kQueries][2 * kBlocks]) {
  // A byte's index: its nibble below, its part of the four above.
  const __m512i part = _mm512_set1_epi32(0x30201000), nibble = _mm512_set1_epi8(15);
  const __m512i ones = _mm512_set1_epi8(1);
#pragma GCC unroll 8
  for (int q = 0; q < kQueries; ++q) {
#pragma GCC unroll 8
    for (int s = 0; s < 2 * kBlocks; ++s) sums[q][s] = _mm512_setzero_si512();
  }
  for (std::size_t at = 0; at < bytes; at += 64) {
    __m512i index[2 * kBlocks];
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) {
      const std::size_t line = static_cast<std::size_t>(b) * bytes + at;
      const __m512i codes = _mm512_loadu_si512(block + line);
      _mm_prefetch(next + line, _MM_HINT_T0);
      // (codes & nibble) | part
      index[2 * b] = _mm512_ternarylogic_epi32(codes, nibble, part, 0xea);
      index[2 * b + 1] = _mm512_ternarylogic_epi32(_mm512_srli_epi16(codes, 4), nibble, part, 0xea);
    }
#pragma GCC unroll 8
    for (int q = 0; q < kQueries; ++q) {
      const __m512i entries = _mm512_load_si512(tables[q] + at);
#pragma GCC unroll 8
      for (int s = 0; s < 2 * kBlocks; ++s) {
        add_byte_products(sums[q][s], _mm512_permutexvar_epi8(index[s], entries), ones);
      }
    }
  }
}

struct Found {
  const BlockQuery& query;
  const BlockList& list;
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
    if (list.terms != nullptr) {
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
    if (place + 16 * kVectors <= list.n && list.allowed == nullptr) {
      // Which vectors have hits can't be foreseen: all are stored from.
#pragma GCC unroll 8
      for (std::size_t s = 0; s < kVectors; ++s) {
        store(estimate(sums[s]), _mm512_cmple_epi32_mask(sums[s], bound), place + 16 * s);
      }
      return;
    }
#pragma GCC unroll 8
    for (std::size_t s = 0; s < kVectors; ++s) {
      const __mmask16 hits = _mm512_mask_cmple_epi32_mask(lanes(place + 16 * s), sums[s], bound);
      if (hits != 0) store(estimate(sums[s]), hits, place + 16 * s);
    }
  }

 private:
  KITH_AVX512_METHOD __mmask16 lanes(std::size_t place) const {
    if (place >= list.n) return 0;
    const __mmask16 there = first16(list.n - place < 16 ? list.n - place : 16);
    if (list.allowed == nullptr) return there;
    const std::uint32_t word = list.allowed[place / kBlockCodes] >> place % kBlockCodes;
    return static_cast<__mmask16>(there & word);
  }

  KITH_AVX512_METHOD void add_with_terms(__m512i sums, std::size_t place) {
    const __mmask16 there = lanes(place);
    const __m512 values =
        _mm512_add_ps(estimate(sums), _mm512_maskz_loadu_ps(there, list.terms + place));
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
    count += ones_in(hits);
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

KITH_AVX512_INLINE bool any_allowed(const BlockList& list, std::size_t place, std::size_t blocks) {
  if (list.allowed == nullptr) return true;
  std::uint32_t any = 0;
  for (std::size_t b = 0; b < blocks; ++b) any |= list.allowed[place / kBlockCodes + b];
  return any != 0;
}

// Scans kBlocks blocks from `place` for all of `found`.
template <int kQueries, int kBlocks>
KITH_AVX512_INLINE void scan_some(std::size_t place, Found (&found)[kQueries]) {
  const BlockList& list = found[0].list;
  if (!any_allowed(list, place, kBlocks)) return;
  const std::size_t bytes = block_bytes(found[0].query.parts);
  const std::uint8_t* tables[kQueries];
  __m512i sums[kQueries][2 * kBlocks];
#pragma GCC unroll 8
  for (int q = 0; q < kQueries; ++q) tables[q] = found[q].query.tables;
  const std::size_t first = place / kBlockCodes * bytes;
  const std::uint8_t* next = list.next != nullptr ? list.next : list.blocks;
  sum_blocks<kQueries, kBlocks>(tables, bytes, list.blocks + first, next + first, sums);
#pragma GCC unroll 8
  for (int q = 0; q < kQueries; ++q) found[q].add(sums[q], place);
}

KITH_AVX512 std::size_t scan(const BlockQuery& query, const BlockList& list, float limit,
                             float* estimates, std::uint32_t* places) {
  constexpr int kAtOnce = 4;  // blocks that share the loads of the tables
  const int most = list.terms == nullptr ? largest_sum(query, limit) : 0;
  Found found[1] = {{query, list, limit, most, estimates, places}};
  std::size_t place = 0;
  for (; place + (kAtOnce - 1) * kBlockCodes < list.n; place += kAtOnce * kBlockCodes) {
    scan_some<1, kAtOnce>(place, found);
  }
  if (place + 2 * kBlockCodes < list.n) {
    scan_some<1, 3>(place, found);
  } else if (place + kBlockCodes < list.n) {
    scan_some<1, 2>(place, found);
  } else if (place < list.n) {
    scan_some<1, 1>(place, found);
  }
  return found[0].count;
}

KITH_AVX512_INLINE Found start(const BlockScan& one, const BlockList& list) {
  const int most = list.terms == nullptr ? largest_sum(one.query, one.limit) : 0;
  return {one.query, list, one.limit, most, one.estimates, one.places};
}

template <int kQueries, std::size_t... q>
KITH_AVX512 void scan_together(BlockScan* scans, const BlockList& list, std::index_sequence<q...>) {
  Found found[kQueries] = {start(scans[q], list)...};
  std::size_t place = 0;
  for (; place + kBlockCodes < list.n; place += 2 * kBlockCodes) {
    scan_some<kQueries, 2>(place, found);
  }
  if (place < list.n) scan_some<kQueries, 1>(place, found);
  ((scans[q].found = found[q].count), ...);
}

KITH_AVX512 void scan_each(BlockScan* scans, std::size_t count, const BlockList& list) {
  constexpr std::size_t kTogether = 4;  // by 2 blocks: 16 sums
  std::size_t i = 0;
  for (; i + kTogether <= count; i += kTogether) {
    scan_together<4>(scans + i, list, std::make_index_sequence<4>());
  }
  if (count - i == 3) {
    scan_together<3>(scans + i, list, std::make_index_sequence<3>());
  } else if (count - i == 2) {
    scan_together<2>(scans + i, list, std::make_index_sequence<2>());
  } else if (count - i == 1) {
    scans[i].found =
        scan(scans[i].query, list, scans[i].limit, scans[i].estimates, scans[i].places);
  }
}

KITH_AVX512 TableScale fill(const float* words, const float* query, float weight, std::size_t dim,
                            std::size_t parts, float* entries, std::uint8_t* tables) {
  constexpr float kMost = 255;
  float widest = 0, offset = 0;
  for (std::size_t part = 0, j = 0; part < parts; ++part) {
    __m512 own = _mm512_setzero_ps();
    for (const std::size_t end = (part + 1) * dim / parts; j < end; ++j) {
      const __m512 q = _mm512_set1_ps(weight * query[j]);
      own = _mm512_fmadd_ps(q, _mm512_loadu_ps(words + 16 * j), own);
    }
    const float low = _mm512_reduce_min_ps(own), high = _mm512_reduce_max_ps(own);
    widest = high - low > widest ? high - low : widest;
    offset += low;
    _mm512_storeu_ps(entries + 16 * part, _mm512_sub_ps(own, _mm512_set1_ps(low)));
  }
  const __m512 inverse = _mm512_set1_ps(widest > 0 ? kMost / widest : 0);
  for (std::size_t part = 0; part < parts; ++part) {
    const __m512 scaled = _mm512_mul_ps(_mm512_loadu_ps(entries + 16 * part), inverse);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(tables + 16 * part),
                     _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(scaled)));
  }
  return {widest / kMost, offset};
}

}  // namespace

void add_vbmi_blocks(Level level, KernelTable& table) {
  if (level != Level::avx512vnni) return;
  table.scan_blocks = scan;
  table.scan_blocks_each = scan_each;
  table.fill_tables = fill;
}

}  // namespace kith::simd

#else

namespace kith::simd {
void add_vbmi_blocks(Level, KernelTable&) {}
}  // namespace kith::simd

#endif
