// Scaled codes, four records side by side, for every instruction set: against a float query, and in
// 16-bit products against an int8 query where there is no VNNI.
#include <cstring>

#include "simd/highway_targets.h"
#include "simd/row_source.h"
#include "simd/tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/scaled_highway.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "simd/sums_highway.h"

#if HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR

HWY_BEFORE_NAMESPACE();
namespace kith::simd::HWY_NAMESPACE {

// Code bytes of one step, widened: to int32 for floats, to int16 for exact sums.
using Words = hn::ScalableTag<std::int16_t>;
using WordVec = hn::Vec<Words>;
constexpr Words kWords{};
constexpr Ints kInts{};
constexpr std::size_t kFloatStep = hn::MaxLanes(F()), kWordStep = hn::MaxLanes(Words());

HWY_INLINE IntVec widen_to_ints(const unsigned char* codes) {
  return hn::PromoteTo(kInts, hn::LoadU(hn::Rebind<std::uint8_t, Ints>(), codes));
}
HWY_INLINE WordVec widen_to_words(const unsigned char* codes) {
  return hn::PromoteTo(kWords, hn::LoadU(hn::Rebind<std::uint8_t, Words>(), codes));
}
HWY_INLINE WordVec widen_to_words(const std::int8_t* values) {
  return hn::PromoteTo(kWords, hn::LoadU(hn::Rebind<std::int8_t, Words>(), values));
}

template <class T, std::size_t kSize>
struct Padded {
  T values[kSize] = {};
  HWY_INLINE Padded(const T* from, std::size_t n) { std::memcpy(values, from, n * sizeof(T)); }
};

// The last n codes of a record. What other lanes get doesn't matter, for the query is zero there.
#if HWY_TARGET == HWY_AVX3
HWY_INLINE IntVec last_ints(const unsigned char* codes, std::size_t n) {
  const auto mask = static_cast<__mmask16>((1u << n) - 1);
  return IntVec{_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, codes))};
}
HWY_INLINE WordVec last_words(const unsigned char* codes, std::size_t n) {
  const auto mask = static_cast<__mmask32>((std::uint64_t{1} << n) - 1);
  return WordVec{_mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(mask, codes))};
}
#else
constexpr std::size_t kFactorBytes = 12;  // follow the codes
HWY_INLINE IntVec last_ints(const unsigned char* codes, std::size_t) {
  static_assert(kFloatStep <= kFactorBytes);
  return widen_to_ints(codes);
}
HWY_INLINE WordVec last_words(const unsigned char* codes, std::size_t n) {
  if constexpr (kWordStep > kFactorBytes) {
    if (n + kFactorBytes < kWordStep) {
      return widen_to_words(Padded<unsigned char, kWordStep>(codes, n).values);
    }
  }
  return widen_to_words(codes);
}
#endif

// A float query: q_i for the low nibbles (or bytes), and for the high ones.
template <int bits>
struct FloatQuery {
  using Sum = V;
  static constexpr std::size_t kStep = kFloatStep;
  const float* low;
  const float* high;
  std::size_t low_count, high_count;
  std::size_t whole;  // before this, steps need no care for the query's end

  HWY_INLINE FloatQuery(const void* values, std::size_t dim)
      : low(static_cast<const float*>(values)),
        high(low + code_bytes(bits, dim)),
        low_count(code_bytes(bits, dim)),
        high_count(dim - low_count),
        whole(bits == 8 ? dim : high_count) {}

  struct Part {
    V low, high;
  };
  HWY_INLINE Part part(std::size_t i) const {
    if constexpr (bits == 8) return {hn::LoadU(kFloats, low + i), hn::Zero(kFloats)};
    return {hn::LoadU(kFloats, low + i), hn::LoadU(kFloats, high + i)};
  }
  HWY_INLINE Part last_part(std::size_t i) const {
    const Padded<float, kStep> lows(low + i, low_count - i);
    if constexpr (bits == 8) return {hn::LoadU(kFloats, lows.values), hn::Zero(kFloats)};
    const Padded<float, kStep> highs(high + i, high_count - i);
    return {hn::LoadU(kFloats, lows.values), hn::LoadU(kFloats, highs.values)};
  }
  static HWY_INLINE V zero() { return hn::Zero(kFloats); }
  static HWY_INLINE IntVec codes(const unsigned char* from) { return widen_to_ints(from); }
  static HWY_INLINE IntVec last_codes(const unsigned char* from, std::size_t n) {
    return last_ints(from, n);
  }
  static HWY_INLINE V add(V sum, const Part& q, IntVec x) {
    if constexpr (bits == 8) return hn::MulAdd(q.low, hn::ConvertTo(kFloats, x), sum);
    const V low_codes = hn::ConvertTo(kFloats, hn::And(x, hn::Set(kInts, 15)));
    const V high_codes = hn::ConvertTo(kFloats, hn::ShiftRight<4>(x));
    return hn::MulAdd(q.high, high_codes, hn::MulAdd(q.low, low_codes, sum));
  }
};

// A packed int8 query, which is zero past its end and readable to a multiple of 64.
template <int bits>
struct PackedQuery {
  using Sum = IntVec;
  static constexpr std::size_t kStep = kWordStep;
  const std::int8_t* low;
  const std::int8_t* high;
  std::size_t whole;

  HWY_INLINE PackedQuery(const void* values, std::size_t dim)
      : low(static_cast<const std::int8_t*>(values)),
        high(low + packed_query_bytes(bits, dim) / 2),
        whole(code_bytes(bits, dim)) {}

  struct Part {
    WordVec low, high;
  };
  HWY_INLINE Part part(std::size_t i) const {
    if constexpr (bits == 8) return {widen_to_words(low + i), hn::Zero(kWords)};
    return {widen_to_words(low + i), widen_to_words(high + i)};
  }
  HWY_INLINE Part last_part(std::size_t i) const { return part(i); }
  static HWY_INLINE IntVec zero() { return hn::Zero(kInts); }
  static HWY_INLINE WordVec codes(const unsigned char* from) { return widen_to_words(from); }
  static HWY_INLINE WordVec last_codes(const unsigned char* from, std::size_t n) {
    return last_words(from, n);
  }
  static HWY_INLINE IntVec add(IntVec sum, const Part& q, WordVec x) {
    if constexpr (bits == 8) return add_products(sum, q.low, x);
    sum = add_products(sum, q.low, hn::And(x, hn::Set(kWords, 15)));
    return add_products(sum, q.high, hn::ShiftRight<4>(x));
  }
};

HWY_INLINE hn::Vec<Quad> as_floats(hn::Vec<Quad> sums) { return sums; }
HWY_INLINE hn::Vec<Quad> as_floats(hn::Vec<hn::Full128<std::int32_t>> sums) {
  return hn::ConvertTo(Quad(), sums);
}

// The weighted factors of one record, without its sum.
struct Closing {
  float known, step;
  HWY_INLINE Closing(const ScaledQuery& query, const unsigned char* factors) {
    float f[3];
    std::memcpy(f, factors, sizeof(f));
    known = query.constant + query.norm_weight * f[0] + query.low_weight * f[1];
    step = query.step_weight * f[2];
  }
};

template <class Query, class Rows>
HWY_INLINE void score_four(const ScaledQuery& scaled, const Query& query, const Rows& source,
                           std::size_t begin, std::size_t end, std::size_t bytes, float* out) {
  using Sum = typename Query::Sum;
  const unsigned char* row[4];
  for (std::size_t r = 0; r < 4; ++r) row[r] = source[begin + r < end ? begin + r : end - 1];
  Sum a = Query::zero(), b = a, c = a, d = a;
  std::size_t i = 0;
  for (; i + Query::kStep <= query.whole; i += Query::kStep) {
    const auto q = query.part(i);
    a = Query::add(a, q, Query::codes(row[0] + i));
    b = Query::add(b, q, Query::codes(row[1] + i));
    c = Query::add(c, q, Query::codes(row[2] + i));
    d = Query::add(d, q, Query::codes(row[3] + i));
  }
  if (i < bytes) {
    const auto q = query.last_part(i);
    const std::size_t n = bytes - i;
    a = Query::add(a, q, Query::last_codes(row[0] + i, n));
    b = Query::add(b, q, Query::last_codes(row[1] + i, n));
    c = Query::add(c, q, Query::last_codes(row[2] + i, n));
    d = Query::add(d, q, Query::last_codes(row[3] + i, n));
  }
  float sums[4];
  hn::StoreU(as_floats(sum_four(a, b, c, d)), Quad(), sums);
  for (std::size_t r = 0; r < 4 && begin + r < end; ++r) {
    const Closing closing(scaled, row[r] + bytes);
    out[begin + r] = closing.known + closing.step * sums[r];
  }
}

template <template <int> class Query, int bits>
void scaled_many(const ScaledQuery& scaled, const void* records, std::size_t stride, std::size_t n,
                 std::size_t dim, float* out) {
  const Query<bits> query(scaled.values, dim);
  const auto rows = prefetched(records, stride, n, record_bytes(bits, dim));
  for (std::size_t i = 0; i < n; i += 4) {
    rows.prefetch(i, 4);
    score_four(scaled, query, rows, i, n, code_bytes(bits, dim), out);
  }
}

template <template <int> class Query, int bits>
void scaled_gather(const ScaledQuery& scaled, const void* records, std::size_t stride,
                   const std::uint32_t* ids, std::size_t n, std::size_t dim, float* out) {
  const Query<bits> query(scaled.values, dim);
  const auto rows = gathered(records, stride, ids);
  for (std::size_t i = 0; i < n; i += 4) {
    score_four(scaled, query, rows, i, n, code_bytes(bits, dim), out);
  }
}

void fill_scaled(KernelTable& table) {
  table.scaled_float[bits_index(4)] = {scaled_many<FloatQuery, 4>, scaled_gather<FloatQuery, 4>};
  table.scaled_float[bits_index(8)] = {scaled_many<FloatQuery, 8>, scaled_gather<FloatQuery, 8>};
  table.scaled_int8[bits_index(4)] = {scaled_many<PackedQuery, 4>, scaled_gather<PackedQuery, 4>};
  table.scaled_int8[bits_index(8)] = {scaled_many<PackedQuery, 8>, scaled_gather<PackedQuery, 8>};
}

}  // namespace kith::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace kith::simd {

void add_highway_scaled(Level level, KernelTable& table) {
#if defined(__x86_64__)
  if (level == Level::avx512) N_AVX3::fill_scaled(table);
  if (level == Level::avx2) N_AVX2::fill_scaled(table);
  if (level == Level::sse4) N_SSE4::fill_scaled(table);
#elif defined(__aarch64__)
  if (level == Level::neon) N_NEON::fill_scaled(table);
#else
  static_cast<void>(level), static_cast<void>(table);
#endif
}

}  // namespace kith::simd

#endif
