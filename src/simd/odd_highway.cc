// Products of small odd numbers for every instruction set without VNNI, four rows side by side, in
// 16-bit products.
#include <cstring>

#include "simd/highway_targets.h"
#include "simd/row_source.h"
#include "simd/tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/odd_highway.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "simd/sums_highway.h"

#if HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR

HWY_BEFORE_NAMESPACE();
namespace kith::simd::HWY_NAMESPACE {

using OddWords = hn::ScalableTag<std::int16_t>;
using OddWordVec = hn::Vec<OddWords>;
constexpr OddWords kOddWords{};
constexpr std::size_t kOddStep = hn::MaxLanes(OddWords());

HWY_INLINE OddWordVec odd_words(const unsigned char* codes) {
  return hn::PromoteTo(kOddWords, hn::LoadU(hn::Rebind<std::uint8_t, OddWords>(), codes));
}
HWY_INLINE OddWordVec odd_words(const std::int8_t* values) {
  return hn::PromoteTo(kOddWords, hn::LoadU(hn::Rebind<std::int8_t, OddWords>(), values));
}

// Adds products of the fields from the `p`-th on of the codes at `i`.
template <int bits, int p = 0>
HWY_INLINE IntVec add_fields(IntVec sum, OddWordVec codes, const std::int8_t* query,
                             std::size_t part) {
  const OddWordVec field = hn::And(hn::ShiftRight<bits * p>(codes),
                                   hn::Set(kOddWords, static_cast<std::int16_t>((1 << bits) - 1)));
  sum = add_products(sum, odd_words(query + p * part), field);
  if constexpr (bits * (p + 1) < 8) return add_fields<bits, p + 1>(sum, codes, query, part);
  return sum;
}

template <int bits, class Rows>
HWY_INLINE void odd_rows(const std::int8_t* query, const Rows& source, std::size_t n,
                         std::size_t bytes, std::int32_t* out) {
  const std::size_t part = odd_part_bytes(bytes);
  for (std::size_t first = 0; first < n; first += 4) {
    source.prefetch(first, 4);
    IntVec sums[4] = {hn::Zero(Ints()), hn::Zero(Ints()), hn::Zero(Ints()), hn::Zero(Ints())};
    for (std::size_t r = 0; r < 4; ++r) {
      const unsigned char* row = source[first + r < n ? first + r : n - 1];
      std::size_t i = 0;
      for (; i + kOddStep <= bytes; i += kOddStep) {
        sums[r] = add_fields<bits>(sums[r], odd_words(row + i), query + i, part);
      }
      if (i < bytes) {
        unsigned char last[kOddStep] = {};
        std::memcpy(last, row + i, bytes - i);
        sums[r] = add_fields<bits>(sums[r], odd_words(last), query + i, part);
      }
    }
    std::int32_t found[4];
    hn::StoreU(sum_four(sums[0], sums[1], sums[2], sums[3]), hn::Full128<std::int32_t>(), found);
    std::memcpy(out + first, found, (n - first < 4 ? n - first : 4) * sizeof(std::int32_t));
  }
}

template <int bits>
void odd_many(const std::int8_t* query, const void* rows, std::size_t stride, std::size_t n,
              std::size_t bytes, std::int32_t* out) {
  odd_rows<bits>(query, prefetched(rows, stride, n, bytes), n, bytes, out);
}
template <int bits>
void odd_gather(const std::int8_t* query, const void* rows, std::size_t stride,
                const std::uint32_t* ids, std::size_t n, std::size_t bytes, std::int32_t* out) {
  odd_rows<bits>(query, gathered(rows, stride, ids), n, bytes, out);
}

void fill_odd(KernelTable& table) {
  table.odd[odd_index(2)] = {odd_many<2>, odd_gather<2>};
  table.odd[odd_index(4)] = {odd_many<4>, odd_gather<4>};
}

}  // namespace kith::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace kith::simd {

void add_highway_odd(Level level, KernelTable& table) {
#if defined(__x86_64__)
  if (level == Level::avx512) N_AVX3::fill_odd(table);
  if (level == Level::avx2) N_AVX2::fill_odd(table);
  if (level == Level::sse4) N_SSE4::fill_odd(table);
#elif defined(__aarch64__)
  if (level == Level::neon) N_NEON::fill_odd(table);
#else
  static_cast<void>(level), static_cast<void>(table);
#endif
}

}  // namespace kith::simd

#endif
