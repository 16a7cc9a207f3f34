#include "index/beam_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace kith {
namespace {

// Offers nodes at random distances, a few at a time, expanding one now and then as walks do.
std::vector<BeamKey> fill(BeamPool& pool, const Breadth& breadth, std::uint64_t seed) {
  constexpr std::size_t kRounds = 60, kMost = 12;
  Random random(seed);
  std::vector<BeamKey> offered, some;
  pool.start(breadth, kMost);
  Id next = 0;
  for (std::size_t round = 0; round < kRounds; ++round) {
    some.clear();
    for (std::uint64_t i = random.below(kMost + 1); i > 0; --i) {
      const auto distance = static_cast<float>(random.uniform() - 0.2);  // inner products: below 0
      offered.push_back(beam_key(distance, next));
      if (distance <= pool.threshold()) some.push_back(beam_key(distance, next));
      ++next;
    }
    std::sort(some.begin(), some.end());
    pool.merge(some);
    pool.expand_next();
  }
  std::sort(offered.begin(), offered.end());
  return offered;
}

TEST(BeamPool, KeepsTheNearestOfAllThatWereOfferedWithinItsBreadth) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    Breadth breadth;
    breadth.most = 1 + random.below(60);
    breadth.rank = 1 + random.below(breadth.most);
    breadth.least = 1 + random.below(breadth.most);
    if (seed % 4 != 0) breadth.beyond = static_cast<float>(0.3 * random.uniform());
    BeamPool pool;
    const std::vector<BeamKey> offered = fill(pool, breadth, seed);
    ASSERT_GT(offered.size(), 60u);
    const float limit = std::max(beam_distance(offered[breadth.rank - 1]) + breadth.beyond,
                                 beam_distance(offered[breadth.least - 1]));
    std::size_t wanted = 0;
    while (wanted < breadth.most && beam_distance(offered[wanted]) <= limit) ++wanted;
    ASSERT_GE(pool.keys().size(), wanted) << seed;
    for (std::size_t i = 0; i < wanted; ++i) {
      ASSERT_EQ(beam_id(pool.keys()[i]), beam_id(offered[i])) << seed << ", " << i;
    }
  }
}

TEST(BeamPool, ExpandsEveryNodeWithinItsBreadthAndNoneBeyond) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    BeamPool pool;
    const Breadth breadth{80, 2, 5, 0.1f};
    const std::vector<BeamKey> offered = fill(pool, breadth, seed);
    const float limit = beam_distance(offered[breadth.rank - 1]) + breadth.beyond;
    const auto expanded_beyond = [&] {
      return std::count_if(pool.keys().begin(), pool.keys().end(), [&](BeamKey key) {
        return (key & 1) != 0 && beam_distance(key) > limit;
      });
    };
    const auto before = expanded_beyond();
    while (pool.expand_next() != kNoId) {
    }
    EXPECT_EQ(expanded_beyond(), before) << seed;
    for (const BeamKey key : pool.keys()) {
      EXPECT_TRUE(beam_distance(key) > limit || (key & 1) != 0) << seed;
    }
  }
}

}  // namespace
}  // namespace kith
