#include "simd/kth_smallest.h"

#include <algorithm>
#include <limits>

#include "simd/kernels.h"

namespace kith::simd {

float bound_kth_smallest(std::span<float> values, std::size_t k) {
  float low, high;
  min_max(values.data(), values.size(), &low, &high);
  if (!(high < std::numeric_limits<float>::infinity())) {
    const auto kth = values.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(values.begin(), kth, values.end());
    return *kth;
  }
  constexpr int kSteps = 16;  // of bisection
  for (int step = 0; step < kSteps && low < high; ++step) {
    const float middle = low + (high - low) / 2;
    const std::size_t count = count_at_most(values.data(), values.size(), middle);
    (count >= k ? high : low) = middle;
    if (count >= k && count <= k + k / 16) break;
  }
  return high;
}

}  // namespace kith::simd
