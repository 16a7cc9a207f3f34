#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace kith {
namespace {

TEST(Random, SameSeedGivesTheSameSequenceAndStreamsDiffer) {
  Random a(7), b(7), c(7, 1);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
}

TEST(Random, PermutationHoldsEveryNumberOnce) {
  std::vector<std::uint32_t> order = random_permutation(1000, 3);
  std::sort(order.begin(), order.end());
  for (std::uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(order[i], i);
}

TEST(Random, SampleIsDistinctAscendingAndOfTheWantedSize) {
  const auto sample = random_sample(1000, 100, 5);
  EXPECT_EQ(sample.size(), 100u);
  EXPECT_TRUE(std::adjacent_find(sample.begin(), sample.end(), std::greater_equal<>()) ==
              sample.end());
  EXPECT_EQ(random_sample(10, 100, 5).size(), 10u);
}

TEST(Random, NormalsHaveMeanZeroAndVarianceOne) {
  Random random(11);
  double sum = 0, squares = 0;
  constexpr int kCount = 200000;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.01);
  EXPECT_NEAR(squares / kCount, 1, 0.02);
}

}  // namespace
}  // namespace kith
