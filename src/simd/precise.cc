#include "simd/precise.h"

#include "simd/dispatch.h"
#include "simd/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/precise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kith::simd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using Floats = hn::Rebind<float, Doubles>;
using Vector = hn::Vec<Doubles>;
constexpr std::size_t kLanes = hn::MaxLanes(Doubles());
constexpr std::size_t kSums = 16;  // partial sums, whatever the register's width
constexpr std::size_t kVectors = kSums / kLanes;

HWY_INLINE Vector load(const float* from) {
  return hn::PromoteTo(Doubles(), hn::LoadU(Floats(), from));
}

// Not fused: a fused multiply-add rounds the squares of differences differently.
template <bool kDifference>
HWY_INLINE void add_terms(const float* q, const float* x, Vector* sums) {
  for (std::size_t v = 0; v < kVectors; ++v) {
    const Vector a = load(q + v * kLanes), b = load(x + v * kLanes);
    if constexpr (kDifference) {
      const Vector difference = hn::Sub(a, b);
      sums[v] = hn::Add(sums[v], hn::Mul(difference, difference));
    } else {
      sums[v] = hn::Add(sums[v], hn::Mul(a, b));
    }
  }
}

template <bool kDifference>
HWY_INLINE double sum_terms(const float* q, const float* x, std::size_t dim) {
  Vector sums[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) sums[v] = hn::Zero(Doubles());
  std::size_t k = 0;
  for (; k + kSums <= dim; k += kSums) add_terms<kDifference>(q + k, x + k, sums);
  if (k < dim) {  // zeros add nothing to either sum
    float q_tail[kSums] = {}, x_tail[kSums] = {};
    for (std::size_t i = 0; k + i < dim; ++i) {
      q_tail[i] = q[k + i];
      x_tail[i] = x[k + i];
    }
    add_terms<kDifference>(q_tail, x_tail, sums);
  }
  double parts[kSums];
  for (std::size_t v = 0; v < kVectors; ++v) {
    hn::StoreU(sums[v], Doubles(), parts + v * kLanes);
  }
  for (std::size_t half = kSums / 2; half != 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) parts[i] += parts[i + half];
  }
  return parts[0];
}

double l2(const float* q, const float* x, std::size_t dim) { return sum_terms<true>(q, x, dim); }
double dot(const float* q, const float* x, std::size_t dim) { return sum_terms<false>(q, x, dim); }

constexpr PreciseKernels kKernels{l2, dot};

}  // namespace HWY_NAMESPACE
}  // namespace kith::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "simd/by_level.h"

namespace kith::simd {
namespace {

const PreciseKernels& choose() { KITH_RETURN_BY_LEVEL(level(), kKernels) }

}  // namespace

const PreciseKernels& precise_kernels() {
  static const PreciseKernels& chosen = choose();
  return chosen;
}

}  // namespace kith::simd
#endif  // HWY_ONCE
