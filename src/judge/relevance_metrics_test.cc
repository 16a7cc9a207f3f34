#include "kith/relevance_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "base/test_error.h"

namespace kith {
namespace {

using testing::HasSubstr;

struct Lists {
  std::vector<double> scores;
  std::vector<std::uint8_t> relevant;
  std::vector<std::size_t> begin;
  FilteredHits view() const { return {scores, relevant, begin}; }
};

TEST(RelevanceMetrics, AreWhatOneCountsByHand) {
  const Lists lists{{0.9, 0.8, 0.3, 0.7, 0.2}, {1, 0, 1, 1, 0}, {0, 3, 5}};
  const RelevanceScores all = score_relevance(lists.view(), 1);
  EXPECT_DOUBLE_EQ(all.pr_auc, (1.0 + 2.0 / 3 + 3.0 / 4) / 3);
  EXPECT_DOUBLE_EQ(all.threshold, 0.3);
  EXPECT_DOUBLE_EQ(all.precision, 0.75);
  EXPECT_DOUBLE_EQ(all.recall, 1);
  EXPECT_DOUBLE_EQ(all.filtered, 0.2);
  EXPECT_DOUBLE_EQ(all.empty, 0);
  const RelevanceScores two_thirds = score_relevance(lists.view(), 0.6);
  EXPECT_DOUBLE_EQ(two_thirds.threshold, 0.7);
  const RelevanceScores given = score_relevance(lists.view(), 1, 0.85);
  EXPECT_DOUBLE_EQ(given.recall, 1.0 / 3);
  EXPECT_DOUBLE_EQ(given.empty, 0.5);
  EXPECT_DOUBLE_EQ(given.filtered, 0.8);
}

TEST(RelevanceMetrics, TakeEqualScoresTogether) {
  const Lists lists{{0.5, 0.5, 0.5, 0.5}, {1, 0, 0, 0}, {0, 4}};
  const RelevanceScores scores = score_relevance(lists.view(), 0.95);
  EXPECT_DOUBLE_EQ(scores.pr_auc, 0.25);
  EXPECT_DOUBLE_EQ(scores.precision, 0.25);
}

TEST(RelevanceMetrics, FindNoErrorInProbabilitiesThatAreRight) {
  Lists lists;
  Random random(1);
  for (std::size_t i = 0; i < 200000; ++i) {
    lists.scores.push_back(random.uniform());
    lists.relevant.push_back(random.uniform() < lists.scores.back() ? 1 : 0);
  }
  lists.begin = {0, lists.scores.size()};
  EXPECT_LT(score_relevance(lists.view(), 0.95).calibration_error, 0.01);
  for (double& score : lists.scores) score = std::sqrt(score);
  EXPECT_GT(score_relevance(lists.view(), 0.95).calibration_error, 0.1);
  lists.scores[7] = 1.5;
  EXPECT_TRUE(std::isnan(score_relevance(lists.view(), 0.95).calibration_error));
}

TEST(RelevanceMetrics, FindTheCurveThatJudgementsWereDrawnFrom) {
  Lists lists;
  Random random(2);
  const LogisticFit drawn{3, -1};
  for (std::size_t i = 0; i < 100000; ++i) {
    lists.scores.push_back(random.uniform() * 2 - 1);
    lists.relevant.push_back(random.uniform() < drawn(lists.scores.back()) ? 1 : 0);
  }
  lists.begin = {0, lists.scores.size()};
  const LogisticFit fit = fit_logistic(lists.view());
  EXPECT_NEAR(fit.gain, drawn.gain, 0.1);
  EXPECT_NEAR(fit.bias, drawn.bias, 0.05);
  EXPECT_DOUBLE_EQ(drawn(1.0 / 3), 0.5);
}

TEST(RelevanceMetrics, RefuseWhatCannotBeMeasured) {
  Lists lists{{0.5, 0.25}, {0, 0}, {0, 2}};
  EXPECT_THAT(error_of([&] { score_relevance(lists.view(), 1); }), HasSubstr("none is relevant"));
  lists.relevant = {1};
  EXPECT_THAT(error_of([&] { score_relevance(lists.view(), 1); }), HasSubstr("1 judgements"));
  lists.relevant = {1, 0};
  lists.begin = {0, 1};
  EXPECT_THAT(error_of([&] { score_relevance(lists.view(), 1); }), HasSubstr("don't divide"));
}

}  // namespace
}  // namespace kith
