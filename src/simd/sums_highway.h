// What the Highway kernels share: sums across the lanes of four vectors at once, and exact products
// of 16-bit words. Included after hwy/highway.h, once a target.
#if defined(KITH_SIMD_SUMS_HIGHWAY_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KITH_SIMD_SUMS_HIGHWAY_H_
#undef KITH_SIMD_SUMS_HIGHWAY_H_
#else
#define KITH_SIMD_SUMS_HIGHWAY_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

#if HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR

HWY_BEFORE_NAMESPACE();
namespace kith::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using F = hn::ScalableTag<float>;
using V = hn::Vec<F>;
using Ints = hn::ScalableTag<std::int32_t>;
using IntVec = hn::Vec<Ints>;
using Quad = hn::Full128<float>;
constexpr F kFloats{};

template <class Vec>
HWY_INLINE auto sum_blocks(Vec v) {
  const hn::DFromV<Vec> tag;
  if constexpr (hn::MaxLanes(tag) == 4) {
    return v;
  } else {
    const hn::Half<hn::DFromV<Vec>> half;
    return sum_blocks(hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

// [sum of a, sum of b, sum of c, sum of d], of floats or 32-bit integers.
template <class Vec>
HWY_INLINE auto sum_four(Vec a, Vec b, Vec c, Vec d) {
  const hn::DFromV<Vec> tag;
  const hn::Repartition<double, hn::DFromV<Vec>> pairs;
  const Vec ab = hn::Add(hn::InterleaveLower(tag, a, b), hn::InterleaveUpper(tag, a, b));
  const Vec cd = hn::Add(hn::InterleaveLower(tag, c, d), hn::InterleaveUpper(tag, c, d));
  const auto ab2 = hn::BitCast(pairs, ab), cd2 = hn::BitCast(pairs, cd);
  return sum_blocks(hn::Add(hn::BitCast(tag, hn::InterleaveLower(pairs, ab2, cd2)),
                            hn::BitCast(tag, hn::InterleaveUpper(pairs, ab2, cd2))));
}

// Adds the products of 16-bit words to 32-bit sums, each product to some lane.
template <class WordVec>
HWY_INLINE IntVec add_products(IntVec sum, WordVec a, WordVec b) {
#if HWY_TARGET == HWY_NEON
  IntVec other = hn::Zero(Ints());
  sum = hn::ReorderWidenMulAccumulate(Ints(), a, b, sum, other);
  return hn::Add(sum, other);
#else
  IntVec unused = hn::Zero(Ints());  // these targets add neighbours' products before they return
  return hn::ReorderWidenMulAccumulate(Ints(), a, b, sum, unused);
#endif
}

}  // namespace kith::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
#endif
