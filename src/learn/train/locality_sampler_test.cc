#include "learn/train/locality_sampler.h"

#include <gtest/gtest.h>

#include <set>

#include "kith/error.h"

namespace kith::learn {
namespace {

// Groups of queries: those of one group have its texts as negatives, and no others.
std::vector<Example> grouped(std::size_t groups, std::size_t queries, std::size_t texts) {
  std::vector<Example> examples;
  for (std::size_t q = 0; q < queries; ++q) {
    for (std::size_t g = 0; g < groups; ++g) {
      Example& example = examples.emplace_back();
      example.query = std::to_string(examples.size());
      for (std::size_t t = 0; t < texts; ++t) {
        example.negatives.push_back(std::to_string(g) + " " + std::to_string(t));
      }
    }
  }
  return examples;
}

TEST(LocalitySampler, UsesEachExampleOnceBeforeAnyAgain) {
  for (const Locality locality : {Locality::none, Locality::walk, Locality::snowball}) {
    LocalitySampler sampler(grouped(5, 8, 6), locality, 10, 1, "x");
    for (int epoch = 0; epoch < 3; ++epoch) {
      std::set<std::uint32_t> seen;
      for (int step = 0; step < 4; ++step) {
        for (const std::uint32_t row : sampler.next().rows) seen.insert(row);
      }
      EXPECT_EQ(seen.size(), 40u);
    }
  }
}

TEST(LocalitySampler, ABatchIsOfQueriesThatShareNegativesEachWithOneOfItsOwn) {
  const std::vector<Example> examples = grouped(6, 8, 10);
  for (const Locality locality : {Locality::walk, Locality::snowball}) {
    LocalitySampler sampler(examples, locality, 8, 3, "x");
    for (int step = 0; step < 6; ++step) {
      const LocalitySampler::Batch batch = sampler.next();
      std::set<std::uint32_t> groups, texts;
      ASSERT_EQ(batch.negatives.size(), 8u);
      for (std::size_t i = 0; i < 8; ++i) {
        groups.insert(batch.rows[i] % 6);
        texts.insert(batch.negatives[i]);
      }
      EXPECT_EQ(groups.size(), 1u);
      EXPECT_EQ(texts.size(), 8u);  // no negative twice while there are others
    }
  }
}

TEST(LocalitySampler, AWalkLeadsAwayAndASnowballStays) {
  // A chain: each query shares a text with the one before and the one after.
  std::vector<Example> chain(2000);
  for (std::size_t i = 0; i < chain.size(); ++i) {
    for (std::size_t t = 0; t < 6; ++t) chain[i].negatives.push_back(std::to_string(i + t));
  }
  const auto spread = [&](Locality locality) {
    LocalitySampler sampler(chain, locality, 32, 5, "x");
    const std::vector<std::uint32_t> rows = sampler.next().rows;
    return *std::ranges::max_element(rows) - *std::ranges::min_element(rows);
  };
  EXPECT_GT(spread(Locality::walk), spread(Locality::snowball));
  EXPECT_LT(spread(Locality::snowball), 200u);
}

TEST(LocalitySampler, WithoutLocalityABatchIsOfAnyQueriesAndNegativesAreDrawnAnew) {
  LocalitySampler sampler(grouped(6, 40, 10), Locality::none, 60, 3, "x");
  std::set<std::uint32_t> groups, of_first;
  for (int step = 0; step < 40; ++step) {
    const LocalitySampler::Batch batch = sampler.next();
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      if (step == 0) groups.insert(batch.rows[i] % 6);
      if (batch.rows[i] == 0) of_first.insert(batch.negatives[i]);
    }
  }
  EXPECT_EQ(groups.size(), 6u);
  EXPECT_GT(of_first.size(), 2u);  // of the ten epochs of 240 examples
}

TEST(LocalitySampler, AnExampleIsNotTwiceInABatchWhereOneRoundEnds) {
  LocalitySampler sampler(grouped(1, 7, 3), Locality::snowball, 5, 1, "x");
  for (int step = 0; step < 100; ++step) {
    const LocalitySampler::Batch batch = sampler.next();
    EXPECT_EQ(std::set(batch.rows.begin(), batch.rows.end()).size(), 5u);
  }
  EXPECT_EQ(LocalitySampler(grouped(1, 3, 2), Locality::walk, 9, 1, "x").next().rows.size(), 3u);
}

TEST(LocalitySampler, TheSameSeedDrawsTheSame) {
  LocalitySampler a(grouped(4, 9, 5), Locality::walk, 6, 2, "x"),
      b(grouped(4, 9, 5), Locality::walk, 6, 2, "x");
  for (int step = 0; step < 20; ++step) {
    const LocalitySampler::Batch one = a.next(), other = b.next();
    EXPECT_EQ(one.rows, other.rows);
    EXPECT_EQ(one.negatives, other.negatives);
  }
}

TEST(LocalitySampler, RefusesExamplesWithoutNegatives) {
  std::vector<Example> examples = grouped(2, 2, 2);
  examples[3].negatives.clear();
  EXPECT_THROW(LocalitySampler(examples, Locality::walk, 2, 1, "x"), Error);
}

}  // namespace
}  // namespace kith::learn
