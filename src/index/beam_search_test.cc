#include "index/beam_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace kith {
namespace {

// A third or all of the nodes are wanted.
struct Wants {
  bool all = true;
  bool operator()(Id id) const { return all || id % 3 == 0; }
};

// Offers nodes at random distances, a few at a time, expanding one now and then as walks do.
std::vector<BeamKey> fill(BeamPool& pool, const Breadth& breadth, const Wants& wants,
                          std::uint64_t seed) {
  constexpr std::size_t kRounds = 60, kMost = 12;
  Random random(seed);
  std::vector<BeamKey> offered, some;
  pool.start(breadth, wants.all, kMost);
  Id next = 0;
  for (std::size_t round = 0; round < kRounds; ++round) {
    some.clear();
    for (std::uint64_t i = random.below(kMost + 1); i > 0; --i) {
      const auto distance = static_cast<float>(random.uniform() - 0.2);  // inner products: below 0
      offered.push_back(beam_key(distance, next));
      if (distance <= pool.threshold()) {
        some.push_back(beam_key(distance, next));
        if (!wants.all && wants(next)) pool.want(distance);
      }
      ++next;
    }
    std::sort(some.begin(), some.end());
    pool.merge(some);
    pool.expand_next();
  }
  std::sort(offered.begin(), offered.end());
  return offered;
}

// How far the pool looks, by the definition of Breadth.
float limit_of(const Breadth& breadth, const Wants& wants, const std::vector<BeamKey>& offered) {
  std::size_t n = 0, found = 0;
  while (found < breadth.rank) found += wants(beam_id(offered.at(n++))) ? 1 : 0;
  const double beam = breadth.beam_for(static_cast<double>(n));
  const auto least = static_cast<std::size_t>(std::ceil(std::floor(beam) / Breadth::kRoom));
  const double beyond = breadth.growth * std::log(beam / static_cast<double>(n));
  return std::max(beam_distance(offered.at(n - 1)) + static_cast<float>(beyond),
                  beam_distance(offered.at(least - 1)));
}

Breadth random_breadth(std::uint64_t seed) {
  Random random(seed);
  Breadth breadth;
  breadth.rank = 1 + random.below(15);
  breadth.beam = breadth.rank + random.below(40);
  breadth.most = breadth.beam + random.below(40);
  if (seed % 4 != 0) breadth.growth = static_cast<float>(0.1 * random.uniform());
  return breadth;
}

TEST(BeamPool, KeepsTheNearestOfAllThatWereOfferedWithinItsBreadth) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Breadth breadth = random_breadth(seed);
    BeamPool pool;
    const std::vector<BeamKey> offered = fill(pool, breadth, Wants{}, seed);
    ASSERT_GT(offered.size(), 250u);
    const bool by_distance = std::isfinite(breadth.growth);
    const float limit = by_distance ? limit_of(breadth, Wants{}, offered) : 1;
    std::size_t near = 0;
    while (near < breadth.most && beam_distance(offered[near]) <= limit) ++near;
    ASSERT_GE(pool.keys().size(), near) << seed;
    for (std::size_t i = 0; i < near; ++i) {
      ASSERT_EQ(beam_id(pool.keys()[i]), beam_id(offered[i])) << seed << ", " << i;
    }
  }
}

TEST(BeamPool, KeepsAllThatAreAsNearAsTheWantedOnes) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Breadth breadth = random_breadth(seed);
    breadth.most *= 4;
    const Wants wants{false};
    BeamPool pool;
    const std::vector<BeamKey> offered = fill(pool, breadth, wants, seed);
    std::size_t found = 0;
    for (std::size_t i = 0; found < breadth.rank && i < breadth.most; ++i) {
      ASSERT_LT(i, pool.keys().size()) << seed;
      ASSERT_EQ(beam_id(pool.keys()[i]), beam_id(offered[i])) << seed << ", " << i;
      found += wants(beam_id(offered[i])) ? 1 : 0;
    }
  }
}

TEST(BeamPool, ExpandsEveryNodeWithinItsBreadthAndNoneBeyond) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    BeamPool pool;
    Breadth breadth;
    breadth.most = 80;
    breadth.rank = 5;
    breadth.beam = 9;
    breadth.growth = 0.1f;
    const Wants wants{seed % 2 == 0};
    const std::vector<BeamKey> offered = fill(pool, breadth, wants, seed);
    const float limit = limit_of(breadth, wants, offered);
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

TEST(BeamPool, GivesUpWhereTheWantedSeemFartherThanTheyAreWorth) {
  constexpr Id kNodes = 1000;
  Breadth breadth;
  breadth.most = kNodes;
  breadth.rank = 10;
  breadth.beam = 20;
  breadth.growth = 0.01f;
  // Whether a walk that meets all at once goes on until it knows ten of which each `every`th node
  // is one.
  const auto finds = [&](Id every, double worth) {
    BeamPool pool;
    breadth.worth = worth;
    pool.start(breadth, false, kNodes);
    std::vector<BeamKey> keys;
    for (Id id = 0; id < kNodes; ++id) {
      const auto distance = static_cast<float>(id) / kNodes;
      keys.push_back(beam_key(distance, id));
      if (id % every == every - 1) pool.want(distance);
    }
    pool.merge(keys);
    while (pool.expand_next() != kNoId) {
    }
    return !pool.gave_up();
  };
  EXPECT_TRUE(finds(5, 100));    // 20 + 1.7 * 40 in all
  EXPECT_FALSE(finds(50, 200));  // 20 + 1.7 * 490
  EXPECT_TRUE(finds(50, 1000));  // as before, but worth it
  EXPECT_FALSE(finds(kNodes, 300));
}

}  // namespace
}  // namespace kith
