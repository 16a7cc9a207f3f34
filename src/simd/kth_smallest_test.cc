#include "simd/kth_smallest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/random.h"

namespace kith::simd {
namespace {

std::size_t count_at_most(const std::vector<float>& values, float bound) {
  return static_cast<std::size_t>(
      std::count_if(values.begin(), values.end(), [&](float x) { return x <= bound; }));
}

TEST(KthSmallest, BoundsAtLeastKAndFewMore) {
  Random random(1);
  for (const std::size_t n : {1, 2, 17, 100, 1000}) {
    std::vector<float> values(n);
    for (float& value : values) value = static_cast<float>(random.normal());
    for (const std::size_t k : {std::size_t{1}, n / 10 + 1, n / 2 + 1, n}) {
      std::vector<float> given = values;
      const std::size_t found = count_at_most(values, bound_kth_smallest(given, k));
      EXPECT_GE(found, k) << n;
      EXPECT_LE(found, k + k / 16 + 1) << n << " values, k " << k;
    }
  }
}

TEST(KthSmallest, EqualAndInfiniteValuesAreCounted) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> equal(50, 3.0f);
  EXPECT_EQ(bound_kth_smallest(equal, 7), 3.0f);
  std::vector<float> some = {infinity, 2, infinity, 1, 3};
  EXPECT_EQ(bound_kth_smallest(some, 2), 2.0f);
  EXPECT_EQ(bound_kth_smallest(some, 4), infinity);
}

}  // namespace
}  // namespace kith::simd
