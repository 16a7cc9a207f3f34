// Metrics against values of scikit-learn 1.2.1 and scipy 1.10.1, and against worked examples.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "kith/correlation.h"
#include "kith/error.h"
#include "kith/label_metrics.h"
#include "kith/ranking_metrics.h"

namespace kith {
namespace {

using testing::ElementsAre;

constexpr double kTolerance = 1e-9;

std::vector<testing::Matcher<double>> near(const std::vector<double>& expected) {
  std::vector<testing::Matcher<double>> matchers;
  for (const double value : expected) {
    matchers.push_back(testing::DoubleNear(value, kTolerance));
  }
  return matchers;
}

// Grades of the hits, and of all that is judged, of which one relevant document isn't found.
const std::vector<int> kRanked = {0, 2, 1, 0, 3};
const std::vector<int> kJudged = {3, 2, 1, 1, 0};
const std::vector<std::size_t> kCutoffs = {1, 3, 5, 10};

TEST(RankingMetrics, AgreeWithTheDefinitionsWorkedByHand) {
  const RankingScores scores = score_ranking(kRanked, kJudged, kCutoffs);
  // (2 / log2 3 + 1 / log2 4) / (3 + 2 / log2 3 + 1 / 2), then + 3 / log2 6 over the best five.
  EXPECT_THAT(scores.ndcg,
              testing::ElementsAreArray(near({0, 0.3699940127, 0.5628112915, 0.5628112915})));
  // (1/2 + 2/3) / 4, then + 3/5.
  EXPECT_THAT(scores.map, testing::ElementsAreArray(near({0, 7.0 / 24, 53.0 / 120, 53.0 / 120})));
  EXPECT_THAT(scores.mrr, ElementsAre(0, 0.5, 0.5, 0.5));
  EXPECT_THAT(scores.recall, ElementsAre(0, 0.5, 0.75, 0.75));
  EXPECT_THAT(scores.precision, testing::ElementsAreArray(near({0, 2.0 / 3, 0.6, 0.3})));
  EXPECT_THAT(scores.hit_rate, ElementsAre(0, 1, 1, 1));
}

TEST(RankingMetrics, NegativeGradesCountAsNotRelevant) {
  const std::vector<int> with = {0, -2, 1}, without = {0, 0, 1};
  const RankingScores a = score_ranking(with, with, kCutoffs);
  const RankingScores b = score_ranking(without, without, kCutoffs);
  EXPECT_EQ(a.ndcg, b.ndcg);
  EXPECT_EQ(a.map, b.map);
}

TEST(RankingMetrics, AQueryWithoutRelevantDocumentsScoresZero) {
  const std::vector<int> ranked = {0, 0}, judged = {0};
  const RankingScores scores = score_ranking(ranked, judged, kCutoffs);
  EXPECT_EQ(scores.ndcg[2], 0);
  EXPECT_EQ(scores.map[2], 0);
  EXPECT_EQ(scores.recall[2], 0);
}

TEST(RankingMetrics, TheBestOrderScoresOneAndNoOrderScoresMore) {
  rc::check("ndcg, map and recall are at most 1, and 1 for the best order", [] {
    const auto grades =
        *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4)));
    std::vector<int> best = grades;
    std::sort(best.rbegin(), best.rend());
    const bool any = best.front() > 0;
    const RankingScores found = score_ranking(grades, grades, kCutoffs);
    const RankingScores ideal = score_ranking(best, grades, kCutoffs);
    for (std::size_t c = 0; c < kCutoffs.size(); ++c) {
      RC_ASSERT(found.ndcg[c] <= ideal.ndcg[c] + 1e-12);
      RC_ASSERT(std::abs(ideal.ndcg[c] - (any ? 1 : 0)) < 1e-12);
      RC_ASSERT(found.map[c] <= 1 + 1e-12);
      RC_ASSERT(found.recall[c] <= 1);
    }
  });
}

TEST(RankingMetrics, TiesGoToTheLargerIdAsInTrecEval) {
  std::vector<ScoredDocument> documents = {{"a", 1}, {"c", 1}, {"10", 2}, {"b", 1}, {"9", 2}};
  sort_as_trec_eval(documents);
  std::vector<std::string_view> ids;
  for (const ScoredDocument& each : documents) ids.push_back(each.id);
  EXPECT_THAT(ids, ElementsAre("9", "10", "c", "b", "a"));
}

TEST(LabelMetrics, AgreeWithScikitLearn) {
  const std::vector<Label> truth = {0, 0, 0, 1, 1, 2, 2, 2, 2, 3};
  const std::vector<Label> predicted = {0, 0, 1, 1, 2, 2, 2, 0, 2, 2};
  // accuracy_score, and f1_score, precision_score, recall_score with average macro and weighted.
  const LabelScores scores = score_labels(truth, predicted);
  EXPECT_NEAR(scores.accuracy, 0.6, kTolerance);
  EXPECT_NEAR(scores.f1, 0.4583333333, kTolerance);
  EXPECT_NEAR(scores.precision, 0.4416666667, kTolerance);
  EXPECT_NEAR(scores.recall, 0.4791666667, kTolerance);
  EXPECT_NEAR(scores.f1_weighted, 0.5666666667, kTolerance);
  EXPECT_NEAR(scores.precision_weighted, 0.54, kTolerance);
  EXPECT_NEAR(scores.recall_weighted, 0.6, kTolerance);
}

TEST(LabelMetrics, AveragePrecisionAgreesWithScikitLearnWhereScoresTie) {
  const std::vector<std::uint8_t> positive = {1, 0, 1, 1, 0, 0, 1, 0, 1, 0};
  const std::vector<double> scores = {.9, .8, .8, .7, .6, .5, .5, .5, .3, .1};
  EXPECT_NEAR(average_precision(positive, scores), 0.6944444444, kTolerance);
  EXPECT_NEAR(average_precision(positive, std::vector<double>(10, 1.0)), 0.5, kTolerance);
}

TEST(LabelMetrics, ThresholdsAreTheBestOnes) {
  const std::vector<std::uint8_t> positive = {1, 1, 0, 1, 0, 1, 0, 0};
  const std::vector<double> scores = {.95, .9, .85, .7, .6, .55, .3, .2};
  const ThresholdScores best = score_thresholds(positive, scores);
  EXPECT_NEAR(best.ap, 0.8541666667, kTolerance);  // average_precision_score
  EXPECT_NEAR(best.accuracy, 0.75, kTolerance);    // two of the first two, four negatives below
  EXPECT_NEAR(best.accuracy_threshold, 0.875, kTolerance);
  EXPECT_NEAR(best.f1, 0.8, kTolerance);  // four of the first six
  EXPECT_NEAR(best.f1_threshold, 0.425, kTolerance);
  EXPECT_NEAR(best.precision, 4.0 / 6, kTolerance);
  EXPECT_NEAR(best.recall, 1, kTolerance);
}

TEST(LabelMetrics, NoThresholdDividesEqualScores) {
  const std::vector<std::uint8_t> positive = {1, 1, 0, 0};
  const ThresholdScores best = score_thresholds(positive, std::vector<double>(4, 0.5));
  EXPECT_EQ(best.accuracy, 0);
  EXPECT_TRUE(std::isnan(best.accuracy_threshold));
  EXPECT_NEAR(best.ap, 0.5, kTolerance);
}

TEST(LabelMetrics, VMeasureAgreesWithScikitLearn) {
  const std::vector<Label> truth = {0, 0, 0, 1, 1, 1, 2, 2, 2, 2};
  const std::vector<Label> clusters = {0, 0, 1, 1, 1, 3, 2, 2, 2, 0};
  const VMeasure found = v_measure(truth, clusters);  // homogeneity_completeness_v_measure
  EXPECT_NEAR(found.homogeneity, 0.6492712741, kTolerance);
  EXPECT_NEAR(found.completeness, 0.5381132293, kTolerance);
  EXPECT_NEAR(found.v_measure, 0.5884891726, kTolerance);
}

TEST(LabelMetrics, VMeasureOfOneClassOrOneClusterIsDefined) {
  const std::vector<Label> one(4, 0), two = {0, 0, 1, 1};
  EXPECT_EQ(v_measure(one, two).homogeneity, 1);
  EXPECT_NEAR(v_measure(one, two).completeness, 0, kTolerance);
  EXPECT_NEAR(v_measure(two, one).homogeneity, 0, kTolerance);
  EXPECT_EQ(v_measure(two, one).completeness, 1);
  EXPECT_EQ(v_measure(one, one).v_measure, 1);
}

TEST(LabelMetrics, SidesOfDifferentSizesAreRefused) {
  const std::vector<Label> two = {0, 1}, three = {0, 1, 2}, none;
  EXPECT_THROW(score_labels(two, three), Error);
  EXPECT_THROW(v_measure(none, none), Error);
}

TEST(Correlation, AgreesWithScipyWhereValuesTie) {
  const std::vector<double> x = {1, 2, 2, 3, 5, 8, 13, 2.5}, y = {2, 1, 4, 4, 6, 7, 7, 3};
  EXPECT_NEAR(pearson(x, y), 0.8327638122, kTolerance);
  EXPECT_NEAR(spearman(x, y), 0.8909254533, kTolerance);
  EXPECT_THAT(average_ranks(x), ElementsAre(1, 2.5, 2.5, 5, 6, 7, 8, 4));
}

TEST(Correlation, OfConstantsIsNotANumber) {
  const std::vector<double> one(3, 0.1), x = {1, 2, 3};
  EXPECT_TRUE(std::isnan(pearson(one, x)));
  EXPECT_TRUE(std::isnan(spearman(x, one)));
}

TEST(Correlation, OfARisingFunctionIsOneByRanks) {
  rc::check("spearman(x, exp(x)) = 1", [] {
    const auto whole = *rc::gen::unique<std::vector<int>>(rc::gen::inRange(-20, 20));
    RC_PRE(whole.size() > 1);
    std::vector<double> x(whole.begin(), whole.end()), y;
    for (const double each : x) y.push_back(std::exp(each));
    RC_ASSERT(std::abs(spearman(x, y) - 1) < 1e-12);
  });
}

// By the definitions over a table of texts and labels, as scikit-learn has them.
LabelSetScores scored_slowly(const std::vector<std::vector<Label>>& truth,
                             const std::vector<std::vector<Label>>& predicted, Label kinds) {
  const auto has = [](const std::vector<Label>& set, Label label) {
    return std::find(set.begin(), set.end(), label) != set.end();
  };
  std::vector<Label> columns;
  for (Label label = 0; label < kinds; ++label) {
    const auto any = [&](const auto& sets) {
      return std::any_of(sets.begin(), sets.end(), [&](const auto& s) { return has(s, label); });
    };
    if (any(truth) || any(predicted)) columns.push_back(label);
  }
  LabelSetScores scores;
  const auto texts = static_cast<double>(truth.size());
  for (const Label label : columns) {
    double both = 0, one = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      both += has(truth[i], label) && has(predicted[i], label) ? 1 : 0;
      one += has(truth[i], label) != has(predicted[i], label) ? 1 : 0;
    }
    scores.f1 += 2 * both / (2 * both + one) / static_cast<double>(columns.size());
  }
  for (std::size_t i = 0; i < truth.size(); ++i) {
    scores.accuracy += truth[i] == predicted[i] ? 1 / texts : 0;
    if (truth[i].empty() || truth[i].size() == columns.size()) {
      scores.lrap += 1 / texts;
      continue;
    }
    for (const Label label : truth[i]) {
      double rank = 0, right = 0;  // of labels ranked as high or higher
      for (const Label other : columns) {
        if (has(predicted[i], label) && !has(predicted[i], other)) continue;
        rank += 1;
        right += has(truth[i], other) ? 1 : 0;
      }
      scores.lrap += right / rank / static_cast<double>(truth[i].size()) / texts;
    }
  }
  return scores;
}

TEST(LabelSets, AreScoredByTheDefinitions) {
  constexpr Label kKinds = 5;
  const bool held = rc::check("", [] {
    const auto sets = [](std::size_t count) {
      std::vector<std::vector<Label>> all(count);
      for (auto& set : all) {
        for (Label label = 0; label < kKinds; ++label) {
          if (*rc::gen::inRange(0, 3) == 0) set.push_back(label);
        }
      }
      return all;
    };
    const auto count = *rc::gen::inRange<std::size_t>(1, 12);
    const auto truth = sets(count), predicted = sets(count);
    const LabelSetScores found = score_label_sets(truth, predicted);
    const LabelSetScores expected = scored_slowly(truth, predicted, kKinds);
    RC_ASSERT(std::abs(found.accuracy - expected.accuracy) < kTolerance);
    RC_ASSERT(std::abs(found.f1 - expected.f1) < kTolerance);
    RC_ASSERT(std::abs(found.lrap - expected.lrap) < kTolerance);
  });
  EXPECT_TRUE(held);
}

// Worked by hand: labels a, b, c; {a, b} and {c} are predicted as {a} and {b, c}.
TEST(LabelSets, AgreeWithAWorkedExample) {
  const std::vector<std::vector<Label>> truth = {{0, 1}, {2}}, predicted = {{0}, {1, 2}};
  const LabelSetScores scores = score_label_sets(truth, predicted);
  EXPECT_EQ(scores.accuracy, 0);
  EXPECT_NEAR(scores.f1, 2.0 / 3, kTolerance);  // 1, 0 and 1
  EXPECT_NEAR(scores.lrap, ((1 + 2.0 / 3) / 2 + 1.0 / 2) / 2, kTolerance);
  EXPECT_THROW(score_label_sets(truth, {}), Error);
}

}  // namespace
}  // namespace kith
