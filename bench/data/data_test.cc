// The text pipeline behind the Debian data sets, against small cases that can be worked out by
// hand.
#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>

#include "base/random.h"
#include "bench/data/svd.h"
#include "bench/data/terms.h"
#include "bench/data/tfidf.h"

namespace kith::bench {
namespace {

Sparse random_sparse(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  Random random(seed);
  Sparse matrix;
  matrix.cols = cols;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::uint32_t j = 0; j < cols; ++j) {
      if (random.below(4) != 0) continue;
      matrix.columns.push_back(j);
      matrix.values.push_back(static_cast<float>(random.normal()));
    }
    matrix.offsets.push_back(matrix.columns.size());
  }
  return matrix;
}

Eigen::MatrixXd dense(const Sparse& matrix) {
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(matrix.rows()),
                                                 static_cast<Eigen::Index>(matrix.cols));
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    for (std::size_t e = matrix.offsets[i]; e < matrix.offsets[i + 1]; ++e) {
      result(static_cast<Eigen::Index>(i), matrix.columns[e]) = matrix.values[e];
    }
  }
  return result;
}

TEST(Terms, IgnoreCaseAndPunctuation) {
  EXPECT_EQ(terms("Größe, ЖУК!"), terms("größe жук"));
  EXPECT_NE(terms("graph"), terms("graphs"));
}

TEST(Terms, UnspacedScriptsGiveCharactersAndPairs) {
  EXPECT_EQ(terms("日本語").size(), 3u + 2u);
  EXPECT_EQ(terms("three plain words").size(), 3u);
}

TEST(Terms, BytesThatAreNotUtf8SeparateWords) {
  EXPECT_EQ(terms("one\xff\xfetwo"), terms("one two"));
}

TEST(Sentences, EndAtStopsButNotInsideNumbers) {
  const std::vector<std::string> expected{"Version 1.5 is out.", "Try it!", "今日は。", "終"};
  EXPECT_EQ(sentences("Version 1.5 is out. Try it! 今日は。終"), expected);
}

TEST(TfIdf, RowsHaveNormOneAndRareTermsWeighMore) {
  const Sparse matrix = tf_idf({{1, 2}, {1, 3}, {1, 2, 3}, {9}}, 2);
  ASSERT_EQ(matrix.cols, 3u);
  ASSERT_EQ(matrix.offsets, (std::vector<std::size_t>{0, 2, 4, 7, 7}));
  EXPECT_GT(matrix.values[1], matrix.values[0]);  // 2 is in two documents, 1 in three
  EXPECT_NEAR(std::hypot(matrix.values[0], matrix.values[1]), 1, 1e-6);
}

TEST(TruncatedSvd, KeepsTheStrongestDirections) {
  const Sparse matrix = random_sparse(60, 40, 1);
  const Dense rows = truncated_svd_rows(matrix, {.rank = 10, .oversampling = 30});
  const Eigen::JacobiSVD<Eigen::MatrixXd> exact(dense(matrix));
  for (Eigen::Index j = 0; j < 10; ++j) {
    EXPECT_NEAR(rows.col(j).norm(), exact.singularValues()(j), 1e-3) << "direction " << j;
  }
}

TEST(TruncatedSvd, DoesNotDependOnTheNumberOfThreads) {
  const Sparse matrix = random_sparse(300, 80, 2);
  const Dense one = truncated_svd_rows(matrix, {.rank = 16, .control = {.threads = 1}});
  const Dense three = truncated_svd_rows(matrix, {.rank = 16, .control = {.threads = 3}});
  EXPECT_EQ((one - three).cwiseAbs().maxCoeff(), 0);
}

}  // namespace
}  // namespace kith::bench
