#include "base/topk.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace kith {
namespace {

TEST(TopK, EqualsSortingEverything) {
  EXPECT_TRUE(rc::check([] {
    // Few distinct distances, so that ties are the rule.
    const auto distances = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-3, 4));
    const auto k = *rc::gen::inRange<std::size_t>(0, 12);
    TopK top(k);
    std::vector<Hit> all;
    for (std::size_t i = 0; i < distances.size(); ++i) {
      const Hit hit{static_cast<float>(distances[i]), static_cast<Id>((i * 7919) % 10007)};
      top.push(hit);
      all.push_back(hit);
    }
    std::sort(all.begin(), all.end());
    all.resize(std::min(all.size(), k));
    RC_ASSERT(top.take_sorted() == all);
  }));
}

TEST(TopK, ThresholdIsInfiniteUntilFullAndThenTheWorstKept) {
  TopK top(2);
  top.push(5, 1);
  EXPECT_EQ(top.threshold(), std::numeric_limits<float>::infinity());
  top.push(3, 2);
  EXPECT_EQ(top.threshold(), 5);
  top.push(1, 3);
  EXPECT_EQ(top.threshold(), 3);
}

TEST(TopK, EqualDistanceWithSmallerIdReplacesTheWorst) {
  TopK top(1);
  top.push(1, 9);
  top.push(1, 4);
  top.push(1, 6);
  EXPECT_EQ(top.take_sorted().front().id, 4u);
}

}  // namespace
}  // namespace kith
