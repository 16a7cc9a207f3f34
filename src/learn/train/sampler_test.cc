#include "learn/train/sampler.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "kith/error.h"

namespace kith::learn {
namespace {

TEST(Sampler, UsesEachExampleOnceBeforeAnyAgain) {
  Sampler sampler({{.examples = 20}}, 4, 1);
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::set<std::uint32_t> seen;
    for (int step = 0; step < 5; ++step) {
      for (const std::uint32_t row : sampler.next().rows) seen.insert(row);
    }
    EXPECT_EQ(seen.size(), 20u);
  }
}

TEST(Sampler, DrawsSourcesByTheirWeights) {
  Sampler sampler(
      {{.examples = 50, .weight = 3}, {.examples = 900, .weight = 1}, {.examples = 9, .weight = 0}},
      8, 2);
  std::map<std::size_t, int> times;
  for (int step = 0; step < 4000; ++step) ++times[sampler.next().source];
  EXPECT_NEAR(times[0], 3000, 150);
  EXPECT_NEAR(times[1], 1000, 150);
  EXPECT_EQ(times[2], 0);
}

TEST(Sampler, GoesOnAfterASkipAsItWouldHave) {
  const std::vector<SourceSize> sources = {{.examples = 30, .weight = 1},
                                           {.examples = 11, .weight = 2}};
  Sampler whole(sources, 4, 7), later(sources, 4, 7);
  for (int step = 0; step < 25; ++step) whole.next();
  later.skip(25);
  for (int step = 0; step < 25; ++step) {
    const BatchRows a = whole.next(), b = later.next();
    EXPECT_EQ(a.source, b.source);
    EXPECT_EQ(a.rows, b.rows);
  }
}

TEST(Sampler, ABatchHoldsNoExampleTwice) {
  Sampler sampler({{.examples = 7}}, 5, 3);
  for (int step = 0; step < 200; ++step) {
    const BatchRows batch = sampler.next();
    EXPECT_EQ(std::set(batch.rows.begin(), batch.rows.end()).size(), 5u);
  }
  Sampler few({{.examples = 3}}, 5, 3);
  EXPECT_EQ(few.next().rows.size(), 3u);
}

TEST(Sampler, RefusesWhatCantBeDrawnFrom) {
  EXPECT_THROW(Sampler({{.examples = 3}}, 0, 1), Error);
  EXPECT_THROW(Sampler({{.examples = 0}}, 2, 1), Error);
  EXPECT_THROW(Sampler({{.examples = 3, .weight = 0}}, 2, 1), Error);
  EXPECT_THROW(Sampler({{.examples = 3, .weight = -1}}, 2, 1), Error);
}

}  // namespace
}  // namespace kith::learn
