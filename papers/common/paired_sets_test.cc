#include "papers/common/paired_sets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace kith::papers {
namespace {

using testing::HasSubstr;

// On each of some sets "a" beats "b" by one of these, in two seeds.
Results results_of(const std::vector<double>& gains) {
  Results results;
  for (std::size_t set = 0; set < gains.size(); ++set) {
    for (const double seed : {0.1, 0.2}) {
      results.add("sets", "a", std::to_string(set), seed + gains[set]);
      results.add("sets", "b", std::to_string(set), seed);
    }
  }
  return results;
}

TEST(PairedSets, AreTestedOverMeansOfSeeds) {
  const PairedSets found =
      compare_sets(results_of({0.01, 0.02, 0.03, 0.04, 0.05, 0.06}), "sets", "a", "b");
  EXPECT_NEAR(found.difference, 0.035, 1e-12);
  EXPECT_EQ(found.p_value, 2.0 / 64);
  EXPECT_TRUE(found.in_every_seed);
  EXPECT_EQ(all_better({found}).verdict, Verdict::shown);
  EXPECT_THAT(all_better({found}).evidence, HasSubstr("a - b, sets 0.0350 (p 0.031"));
}

TEST(PairedSets, AreRefutedOrLeftOpenByTheSameTest) {
  const auto better = [](const std::vector<double>& gains) {
    return all_better({compare_sets(results_of(gains), "sets", "a", "b")}).verdict;
  };
  EXPECT_EQ(better({-1, -2, -3, -4, -5, -6}), Verdict::refuted);
  EXPECT_EQ(better({-1, 2, -3, 4, -5, 6}), Verdict::undecided);
  EXPECT_EQ(better({1, 2, 3}), Verdict::undecided);  // not testable
}

TEST(PairedSets, ShowWhatBeingComparedTogetherCosts) {
  const PairedSets one = compare_sets(results_of({1, 2, 3, 4, 5, 6}), "sets", "a", "b");
  std::vector<PairedSets> all = {one, one};
  correct(all);
  EXPECT_EQ(all[0].corrected, 4.0 / 64);
  EXPECT_EQ(all[0].p_value, 2.0 / 64);
  EXPECT_THAT(text(all[0]), HasSubstr("p 0.031, Holm 0.062"));
}

}  // namespace
}  // namespace kith::papers
