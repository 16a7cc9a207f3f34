#include "kith/depth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "base/test_rows.h"
#include "kith/error.h"

namespace kith {
namespace {

// The definition, term by term.
double distance(const Matrix<float>& a, std::size_t i, const Matrix<float>& b, std::size_t j,
                bool chord) {
  double dot = 0, of_a = 0, of_b = 0;
  for (std::size_t d = 0; d < a.cols(); ++d) {
    dot += double{a(i, d)} * b(j, d);
    of_a += double{a(i, d)} * a(i, d);
    of_b += double{b(j, d)} * b(j, d);
  }
  const double cosine = dot / std::sqrt(of_a * of_b);
  return chord ? std::sqrt(std::max(0.0, 2 - 2 * cosine)) : 1 - cosine;
}

std::vector<double> slow_depths(const Matrix<float>& corpus, const Matrix<float>& rows, bool own,
                                bool chord) {
  std::vector<double> result;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < corpus.rows(); ++j) {
      if (!own || i != j) sum += distance(rows, i, corpus, j, chord);
    }
    result.push_back(2 - sum / static_cast<double>(corpus.rows() - (own ? 1 : 0)));
  }
  return result;
}

Matrix<float> shifted(std::size_t rows, std::uint64_t seed, float shift) {
  Matrix<float> result = normal_rows(rows, 12, seed);
  for (std::size_t i = 0; i < rows; ++i) result(i, 0) += shift;
  return result;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5) << i;
}

TEST(Depth, AgreesWithTheDefinitionForBothDistances) {
  const Matrix<float> corpus = shifted(40, 1, 1), others = shifted(40, 2, 0);  // of equal sizes
  for (const bool chord : {false, true}) {
    DepthOptions options;
    options.distance = chord ? DepthDistance::chord : DepthDistance::cosine;
    expect_near(depths(corpus, options), slow_depths(corpus, corpus, true, chord));
    expect_near(depths_in(corpus, others, options), slow_depths(corpus, others, false, chord));
  }
}

TEST(Depth, IgnoresTheLengthOfVectors) {
  const Matrix<float> corpus = shifted(30, 1, 1);
  Matrix<float> longer = corpus.clone();
  for (std::size_t i = 0; i < longer.rows(); ++i) {
    for (std::size_t j = 0; j < longer.cols(); ++j) longer(i, j) *= static_cast<float>(i + 1);
  }
  expect_near(depths(longer), depths(corpus));
}

TEST(Depth, OfASampleComesNearThatOfAll) {
  const Matrix<float> corpus = shifted(600, 1, 2);
  DepthOptions all, some;
  all.distance = some.distance = DepthDistance::chord;
  some.sample = 300;
  const std::vector<double> exact = depths(corpus, all), near = depths(corpus, some);
  for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(near[i], exact[i], 0.08);
}

TEST(RankSum, AgreesWithScipy) {
  const std::vector<double> f = {1.2, 1.5, 1.1, 1.9, 1.5, 1.7}, g = {1.0, 1.1, 1.5, 0.9, 1.3};
  const RankSum found = rank_sum(f, g);  // scipy.stats.ranksums(f, g, alternative='greater')
  EXPECT_NEAR(found.z, 1.7344547654, 1e-9);
  EXPECT_NEAR(found.p_value, 0.0414187126, 1e-9);
}

TEST(DepthTest, KnowsAShiftedCorpusFromAnEqualOne) {
  const Matrix<float> corpus = shifted(300, 1, 3), equal = shifted(300, 2, 3);
  const Matrix<float> apart = shifted(300, 3, 0);
  const DepthTest same = depth_test(corpus, equal), other = depth_test(corpus, apart);
  EXPECT_NEAR(same.q, 0.5, 0.06);
  EXPECT_GT(same.test.p_value, 0.01);
  EXPECT_LT(other.q, 0.3);
  EXPECT_LT(other.test.p_value, 1e-6);
  EXPECT_LT(other.q_pooled, 0.4);
}

TEST(DepthTest, RejectsEqualCorporaAsOftenAsItMay) {
  int rejected = 0;
  constexpr int kTrials = 200;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    const DepthTest found = depth_test(shifted(60, 2 * trial, 2), shifted(60, 2 * trial + 1, 2));
    rejected += found.test.p_value <= 0.05 ? 1 : 0;
  }
  EXPECT_GE(rejected, kTrials * 1 / 100);
  EXPECT_LE(rejected, kTrials * 12 / 100);
}

TEST(DepthTest, OfTwoSizesAndSidesCountsByTheDefinition) {
  const Matrix<float> f = shifted(7, 1, 1), g = shifted(4, 2, 0);
  const std::vector<double> of_f = slow_depths(f, f, true, false);
  const std::vector<double> of_g = slow_depths(f, g, false, false);
  double count = 0;
  for (const double y : of_g) {
    for (const double x : of_f) count += x <= y ? 1 : 0;
  }
  EXPECT_NEAR(depth_test(f, g).q, count / 28, 1e-12);
}

TEST(Deepest, AreTheMostCentralOfEachLabel) {
  const Matrix<float> corpus = shifted(30, 5, 2);
  const std::vector<double> found = depths(corpus);
  const std::vector<std::uint32_t> all = deepest(corpus, 3);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0], std::max_element(found.begin(), found.end()) - found.begin());
  std::vector<std::uint32_t> labels;
  for (std::uint32_t i = 0; i < 30; ++i) labels.push_back(i < 29 ? i % 2 : 2);
  const std::vector<std::uint32_t> by_label = deepest(corpus, 2, labels);
  ASSERT_EQ(by_label.size(), 5u);  // the last label has one row only
  EXPECT_EQ(by_label[0] % 2, 0u);
  EXPECT_EQ(by_label[2] % 2, 1u);
  EXPECT_EQ(by_label[4], 29u);
}

TEST(Depth, RefusesWhatHasNoDirectionNamingTheRow) {
  Matrix<float> corpus = shifted(5, 1, 1);
  std::fill_n(corpus.row(3), corpus.cols(), 0.0f);
  try {
    depths(corpus);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("corpus row 3 is zero"));
  }
  corpus(3, 0) = std::nanf("");
  EXPECT_THROW(depths(corpus), Error);
  EXPECT_THROW(depths(shifted(1, 1, 1)), Error);
  EXPECT_THROW(depth_test(shifted(5, 1, 1), normal_rows(5, 3, 1)), Error);
}

TEST(Depth, MeanResultantLengthIsOneForOneDirectionAndZeroForOpposites) {
  Matrix<float> rows(2, 2);
  rows(0, 0) = 1;
  rows(1, 0) = 3;
  EXPECT_NEAR(mean_resultant_length(rows), 1, 1e-6);
  rows(1, 0) = -3;
  EXPECT_NEAR(mean_resultant_length(rows), 0, 1e-6);
}

}  // namespace
}  // namespace kith
