// Intervals, comparisons, standings and task selection.
#include "kith/significance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "kith/benchmark.h"
#include "kith/error.h"

namespace kith {
namespace {

using testing::ElementsAre;

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

std::vector<double> normal_values(std::size_t count, std::uint64_t seed, double mean = 0) {
  Random random(seed);
  std::vector<double> values(count);
  for (double& value : values) value = mean + random.normal();
  return values;
}

ResampleOptions options(std::size_t resamples, std::size_t threads = 1) {
  ResampleOptions result;
  result.resamples = resamples;
  result.control.threads = threads;
  return result;
}

TEST(Bootstrap, IntervalOfAMeanIsThatOfTheNormalDistribution) {
  constexpr std::size_t kUnits = 400;
  const Interval interval =
      bootstrap_interval(kUnits, mean_of(normal_values(kUnits, 1)), options(4000));
  EXPECT_NEAR(interval.high - interval.low, 2 * 1.96 / std::sqrt(kUnits), 0.02);
}

TEST(Bootstrap, IntervalsCoverTheTruthAsOftenAsTheySay) {
  int covered = 0;
  constexpr int kTrials = 200;
  for (int trial = 0; trial < kTrials; ++trial) {
    const auto values = normal_values(60, 100 + static_cast<std::uint64_t>(trial), 0.3);
    const Interval interval = bootstrap_interval(values.size(), mean_of(values), options(300));
    covered += interval.low <= 0.3 && 0.3 <= interval.high ? 1 : 0;
  }
  EXPECT_GT(covered, kTrials * 88 / 100);
  EXPECT_LT(covered, kTrials * 99 / 100 + 1);
}

TEST(Bootstrap, IsTheSameForAnyNumberOfThreads) {
  const auto a = normal_values(50, 1), b = normal_values(50, 2);
  const PairedDifference one = compare_means(a, b, options(500, 1));
  const PairedDifference four = compare_means(a, b, options(500, 4));
  EXPECT_EQ(one.p_value, four.p_value);
  EXPECT_EQ(one.interval.low, four.interval.low);
  EXPECT_EQ(one.interval.high, four.interval.high);
}

TEST(Permutation, OfFewUnitsIsExact) {
  // Of the 256 signs of these differences 16 give so large a sum.
  const std::vector<double> differences = {0.3, -0.1, 0.4, 0.2, 0.05, -0.02, 0.3, 0.1};
  const PairedDifference found =
      compare_means(differences, std::vector<double>(8, 0.0), options(1000));
  EXPECT_NEAR(found.p_value, 0.0625, 1e-12);
  EXPECT_NEAR(found.difference, 1.23 / 8, 1e-12);
}

TEST(Permutation, RejectsEqualSystemsAsOftenAsItMay) {
  int rejected = 0;
  constexpr int kTrials = 400;
  for (int trial = 0; trial < kTrials; ++trial) {
    const auto seed = static_cast<std::uint64_t>(trial);
    const PairedDifference found = compare_means(normal_values(40, 2 * seed + 1000),
                                                 normal_values(40, 2 * seed + 1001), options(400));
    rejected += found.p_value <= 0.05 ? 1 : 0;
  }
  EXPECT_GE(rejected, kTrials * 2 / 100);
  EXPECT_LE(rejected, kTrials * 9 / 100);
}

TEST(Permutation, FindsADifferenceThatAllUnitsShare) {
  const auto a = normal_values(100, 1);
  std::vector<double> b = a;
  for (double& value : b) value += 0.01;
  const PairedDifference found = compare_means(b, a, options(1000));
  EXPECT_LT(found.p_value, 0.002);
  EXPECT_NEAR(found.interval.low, 0.01, 1e-12);
  EXPECT_NEAR(compare_means(a, a, options(1000)).p_value, 1, 1e-12);
}

TEST(Comparison, OfStatisticsThatAreNoMeansUsesTheBootstrap) {
  const auto a = normal_values(200, 5, 0.5), b = normal_values(200, 6);
  const PairedDifference found = compare(200, mean_of(a), mean_of(b), options(1000));
  EXPECT_LT(found.p_value, 0.01);
  EXPECT_GT(found.interval.low, 0);
  EXPECT_NEAR(compare(200, mean_of(a), mean_of(a), options(100)).p_value, 1, 1e-12);
}

TEST(Resampling, RefusesNothing) {
  EXPECT_THROW(bootstrap_interval(0, mean_of({}), options(10)), Error);
  EXPECT_THROW(bootstrap_interval(1, mean_of({1}), options(0)), Error);
  EXPECT_THROW(compare_means(std::vector<double>{1}, std::vector<double>{1, 2}, options(10)),
               Error);
}

// By all 2^n signs of the ranks.
double enumerated_p(const std::vector<double>& differences) {
  const auto ranks_of = [&](std::size_t i) {
    double below = 0, equal = 0;
    for (const double other : differences) {
      below += std::abs(other) < std::abs(differences[i]) ? 1 : 0;
      equal += std::abs(other) == std::abs(differences[i]) ? 1 : 0;
    }
    return below + (equal + 1) / 2;
  };
  double all = 0, positive = 0;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    all += ranks_of(i);
    positive += differences[i] > 0 ? ranks_of(i) : 0;
  }
  const std::size_t choices = std::size_t{1} << differences.size();
  std::size_t extreme = 0;
  for (std::size_t signs = 0; signs < choices; ++signs) {
    double sum = 0;
    for (std::size_t i = 0; i < differences.size(); ++i) {
      sum += (signs >> i & 1) != 0 ? ranks_of(i) : 0;
    }
    extreme += std::abs(sum - all / 2) >= std::abs(positive - all / 2) ? 1 : 0;
  }
  return static_cast<double>(extreme) / static_cast<double>(choices);
}

SignedRanks wilcoxon_of(const std::vector<double>& differences) {
  return wilcoxon(differences, std::vector<double>(differences.size(), 0.0));
}

TEST(Wilcoxon, OfFewPairsIsThatOfAllSignsTiesIncluded) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    std::vector<double> differences(6 + random.below(7));
    for (double& each : differences) {
      each = static_cast<double>(1 + random.below(seed % 2 == 0 ? 5 : 1000));
      if (random.below(3) == 0) each = -each;
    }
    EXPECT_NEAR(wilcoxon_of(differences).p_value, enumerated_p(differences), 1e-12) << seed;
  }
}

// The negative ones have ranks 1 and 3; of the 256 choices of ranks 7 have so small a sum: none, 1,
// 2, 3, 4, 1 + 2 and 1 + 3.
TEST(Wilcoxon, CountsTheChoicesOfRanksThatAreAsExtreme) {
  const SignedRanks found = wilcoxon_of({0.3, -0.1, 0.4, 0.2, 0.05, -0.02, 0.35, 0.15});
  EXPECT_EQ(found.pairs, 8u);
  EXPECT_EQ(found.positive, 32);
  EXPECT_NEAR(found.p_value, 14.0 / 256, 1e-12);
}

TEST(Wilcoxon, IsMuchTheSameByTheNormalDistributionAsExactly) {
  std::vector<double> values = normal_values(25, 3, 0.4);
  const double exact = wilcoxon_of(values).p_value;
  values.push_back(0.001);  // the smallest rank changes little
  EXPECT_NEAR(wilcoxon_of(values).p_value, exact, 0.02);
}

TEST(Wilcoxon, SaysNothingOfFewOrEqualPairs) {
  EXPECT_TRUE(std::isnan(wilcoxon_of({1, 2, 3, 4, 5}).p_value));
  EXPECT_TRUE(std::isnan(wilcoxon_of(std::vector<double>(30, 0.0)).p_value));
  EXPECT_EQ(wilcoxon_of({0, 0, 1, -1}).pairs, 2u);
  EXPECT_EQ(wilcoxon_of({1, 2, 3, 4, 5, 6}).p_value, 2.0 / 64);
  EXPECT_THROW(wilcoxon(std::vector<double>{1}, std::vector<double>{1, 2}), Error);
}

TEST(Holm, MultipliesByTheTestsThatAreLeft) {
  EXPECT_THAT(holm(std::vector<double>{0.01, 0.04, 0.03, 0.005}),
              testing::Pointwise(testing::DoubleNear(1e-12), {0.03, 0.06, 0.06, 0.02}));
  const std::vector<double> some = holm(std::vector<double>{0.4, kNothing, 0.6});
  EXPECT_EQ(some[0], 0.8);
  EXPECT_TRUE(std::isnan(some[1]));
  EXPECT_EQ(some[2], 0.8);
}

BenchmarkTable table_of(std::size_t systems, std::size_t tasks,
                        double (*score)(std::size_t, std::size_t)) {
  BenchmarkTable table;
  table.scores = Matrix<double>(systems, tasks);
  for (std::size_t s = 0; s < systems; ++s) {
    table.systems.push_back(std::string("s").append(std::to_string(s)));
    for (std::size_t t = 0; t < tasks; ++t) table.scores(s, t) = score(s, t);
  }
  for (std::size_t t = 0; t < tasks; ++t)
    table.tasks.push_back(std::string("t").append(std::to_string(t)));
  return table;
}

TEST(Standings, BordaCountsWhomEachTaskPrefers) {
  BenchmarkTable table = table_of(3, 3, [](std::size_t s, std::size_t t) {
    constexpr double kScores[3][3] = {{0.9, 0.5, 0.1}, {0.8, 0.5, 0.2}, {0.1, 0.7, kNothing}};
    return kScores[s][t];
  });
  table.types = {"A", "A", "B"};
  const std::vector<SystemStanding> standings = borda_standings(table);
  // s0: 2 + 0.5 + 1, s1: 1 + 0.5 + 2, s2: 0 + 2 + nothing.
  EXPECT_EQ(standings[0].system, "s0");
  EXPECT_EQ(standings[0].borda, 3.5);
  EXPECT_EQ(standings[1].system, "s1");
  EXPECT_EQ(standings[1].borda, 3.5);
  EXPECT_EQ(standings[2].borda, 2);
  EXPECT_NEAR(standings[0].mean_rank, (1 + 2.5 + 2) / 3, 1e-12);
  EXPECT_NEAR(standings[2].mean_rank, (3 + 1 + 3) / 3.0, 1e-12);
  EXPECT_EQ(standings[2].tasks, 2u);
  EXPECT_NEAR(standings[2].mean_score, 0.4, 1e-12);
  EXPECT_NEAR(standings[0].mean_by_type, (0.7 + 0.1) / 2, 1e-12);
}

TEST(Standings, CorrelationsAreOfRanks) {
  const BenchmarkTable table = table_of(4, 3, [](std::size_t s, std::size_t t) {
    const auto x = static_cast<double>(s);
    return t == 0 ? x : t == 1 ? std::exp(x) : -x;
  });
  const Matrix<double> found = task_correlations(table);
  EXPECT_NEAR(found(0, 1), 1, 1e-12);
  EXPECT_NEAR(found(2, 0), -1, 1e-12);
}

double scattered(std::size_t s, std::size_t t) {
  return static_cast<double>((s * s * 3 + t * t * 7 + s * t * 5) % 11) / 10 +
         0.05 * static_cast<double>(s);
}

// Expected: left-out predictions by numpy's pinv(centred scores, rcond=1e-10), spearmanr of scipy
// 1.10.1. (scikit-learn's LinearRegression agrees where systems outnumber tasks; else it takes
// rounding for a direction.)
TEST(TaskSelection, PredictionsAgreeWithThePseudoInverse) {
  const TaskSelection wide =
      select_tasks(table_of(6, 8, scattered), {.least_spearman = 0.8, .most_error = 1});
  ASSERT_FALSE(wide.removed.empty());  // more tasks than systems: the minimum-norm solution
  EXPECT_EQ(wide.removed[0].task, "t5");
  EXPECT_NEAR(wide.removed[0].spearman, 0.9428571429, 1e-9);
  EXPECT_NEAR(wide.removed[0].error, 0.6845160924, 1e-9);
  const TaskSelection tall =
      select_tasks(table_of(9, 4, scattered), {.least_spearman = 0.3, .most_error = 2});
  ASSERT_FALSE(tall.removed.empty());
  EXPECT_EQ(tall.removed[0].task, "t2");
  EXPECT_NEAR(tall.removed[0].spearman, 0.3598357858, 1e-9);
  EXPECT_NEAR(tall.removed[0].error, 1.0682223291, 1e-9);
}

// Tasks 0, 1 and 2 say the same; 3 is another matter.
double repeated(std::size_t s, std::size_t t) {
  const auto x = static_cast<double>(s);
  return t == 3 ? std::sin(5 * x) : x * static_cast<double>(t + 1) + 0.001 * std::cos(x + 3.0 * t);
}

TEST(TaskSelection, RemovesRepeatsButKeepsTheLastOfATypeAndWhatItIsTold) {
  BenchmarkTable table = table_of(10, 4, repeated);
  const TaskSelection plain = select_tasks(table);
  EXPECT_THAT(plain.kept, testing::Contains("t3"));
  EXPECT_EQ(plain.kept.size(), 2u);
  table.types = {"A", "A", "B", "C"};
  EXPECT_THAT(select_tasks(table).kept, testing::IsSupersetOf({"t2", "t3"}));
  EXPECT_THAT(select_tasks(table, {.keep = {"t0", "t1"}}).kept,
              ElementsAre("t0", "t1", "t2", "t3"));
}

TEST(TaskSelection, LeavesOutIncompleteTasksAndRefusesFewSystems) {
  BenchmarkTable table = table_of(6, 4, repeated);
  table.scores(2, 1) = kNothing;
  EXPECT_THAT(select_tasks(table).unusable, ElementsAre("t1"));
  EXPECT_THROW(select_tasks(table_of(4, 3, repeated)), Error);
}

}  // namespace
}  // namespace kith
