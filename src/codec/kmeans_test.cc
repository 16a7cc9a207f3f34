#include "codec/kmeans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/test_rows.h"
#include "codec/centres.h"
#include "kith/error.h"

namespace kith {
namespace {

KMeansOptions clusters(std::size_t count, std::uint64_t seed = 1) {
  KMeansOptions options;
  options.clusters = count;
  options.seed = seed;
  return options;
}

double squared(const float* a, const float* b, std::size_t dim) {
  double sum = 0;
  for (std::size_t j = 0; j < dim; ++j) sum += (double{a[j]} - b[j]) * (double{a[j]} - b[j]);
  return sum;
}

double mean_distance(const Matrix<float>& rows, const Matrix<float>& centres) {
  double total = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < centres.rows(); ++c) {
      least = std::min(least, squared(rows.row(i), centres.row(c), rows.cols()));
    }
    total += least;
  }
  return total / static_cast<double>(rows.rows());
}

TEST(Centres, NearestAgreesWithTheDefinitionForEveryShape) {
  for (const std::size_t dim : {1, 5, 33}) {
    for (const std::size_t count : {1, 31, 32, 33, 100}) {
      const Centres centres(normal_rows(count, dim, 1));
      const Matrix<float> rows = normal_rows(517, dim, 2);
      std::vector<std::uint32_t> ids(rows.rows());
      std::vector<float> distances(rows.rows());
      centres.nearest(rows, {}, ids, distances);
      for (std::size_t i = 0; i < rows.rows(); ++i) {
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t c = 0; c < count; ++c) {
          least = std::min(least, squared(rows.row(i), centres.matrix().row(c), dim));
        }
        ASSERT_NEAR(squared(rows.row(i), centres.matrix().row(ids[i]), dim), least, 1e-4);
        ASSERT_NEAR(distances[i], least, 1e-4);
      }
    }
  }
}

TEST(Centres, TheNearestFewAreInOrderAndBeginWithTheNearest) {
  const Centres centres(normal_rows(70, 12, 1));
  const Matrix<float> rows = normal_rows(300, 12, 2);
  std::vector<std::uint32_t> one(300), few(300 * 5);
  std::vector<float> scores(300 * 5);
  centres.nearest(rows, {}, one);
  centres.nearest_few(rows, 5, Centres::By::distance, {}, few, scores);
  for (std::size_t i = 0; i < 300; ++i) {
    EXPECT_EQ(few[i * 5], one[i]);
    EXPECT_TRUE(std::is_sorted(&scores[i * 5], &scores[i * 5] + 5));
    const double fifth = squared(rows.row(i), centres.matrix().row(few[i * 5 + 4]), 12);
    std::size_t nearer = 0;
    for (std::size_t c = 0; c < 70; ++c) {
      nearer += squared(rows.row(i), centres.matrix().row(c), 12) < fifth - 1e-4 ? 1 : 0;
    }
    EXPECT_EQ(nearer, 4u);
  }
}

TEST(Centres, ARoughCopyGivesTheSameFewToSingleRows) {
  for (const auto by : {Centres::By::distance, Centres::By::product}) {
    const Centres exact(normal_rows(500, 40, 3));
    Centres rough(normal_rows(500, 40, 3));
    rough.keep_rough_copy(by);
    const Matrix<float> rows = normal_rows(200, 40, 4);
    std::vector<std::uint32_t> want(8), found(8);
    std::vector<float> want_scores(8), found_scores(8);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      exact.nearest_few(rows.view().slice(i, 1), 8, by, {}, want, want_scores);
      rough.nearest_few(rows.view().slice(i, 1), 8, by, {}, found, found_scores);
      EXPECT_EQ(found, want);
      for (std::size_t j = 0; j < 8; ++j) EXPECT_NEAR(found_scores[j], want_scores[j], 1e-4);
    }
  }
}

TEST(KMeans, FindsClustersThatLieApart) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Matrix<float> truth = normal_rows(20, 10, seed, 30);
    Matrix<float> rows = normal_rows(4000, 10, seed + 10);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      for (std::size_t j = 0; j < 10; ++j) rows.row(i)[j] += truth.row(i % 20)[j];
    }
    const Matrix<float> found = kmeans(rows, clusters(20, seed));
    EXPECT_LT(mean_distance(rows, found), 1.3 * mean_distance(rows, truth));
  }
}

TEST(KMeans, IsTheSameForAnyNumberOfThreads) {
  const Matrix<float> rows = normal_rows(3000, 16, 5);
  KMeansOptions options = clusters(50);
  options.control.threads = 1;
  const Matrix<float> one = kmeans(rows, options);
  options.control.threads = 3;
  const Matrix<float> three = kmeans(rows, options);
  for (std::size_t c = 0; c < 50; ++c) {
    EXPECT_TRUE(std::equal(one.row(c), one.row(c) + 16, three.row(c))) << c;
  }
}

TEST(KMeans, LeavesNoClusterEmptyWhereRowsDiffer) {
  Matrix<float> rows(2000, 4);  // most are equal
  const Matrix<float> few = normal_rows(100, 4, 6);
  for (std::size_t i = 0; i < 100; ++i) std::copy_n(few.row(i), 4, rows.row(i * 20));
  const Centres centres(kmeans(rows, clusters(64)));
  std::vector<std::uint32_t> ids(2000);
  centres.nearest(rows, {}, ids);
  std::sort(ids.begin(), ids.end());
  EXPECT_GE(std::unique(ids.begin(), ids.end()) - ids.begin(), 50);
}

std::vector<std::size_t> sizes_of(const Matrix<float>& rows, const KMeansOptions& options) {
  const Centres centres(kmeans(rows, options));
  std::vector<std::uint32_t> ids(rows.rows());
  centres.nearest(rows, {}, ids);
  std::vector<std::size_t> sizes(options.clusters);
  for (const std::uint32_t id : ids) ++sizes[id];
  return sizes;
}

// A crowd about the origin and rows that lie apart: k-means gives the crowd too few centres.
Matrix<float> crowded_rows(std::uint64_t seed) {
  Matrix<float> rows = normal_rows(6000, 8, seed);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t j = 0; j < 8; ++j) rows.row(i)[j] *= i % 4 == 0 ? 30.0f : 0.3f;
  }
  return rows;
}

TEST(KMeans, BalancedClustersHaveAtMostSoManyTimesTheMean) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Matrix<float> rows = crowded_rows(seed);
    KMeansOptions options = clusters(60, seed);
    const auto before = sizes_of(rows, options);
    options.most_of_mean = 2;
    const auto after = sizes_of(rows, options);
    EXPECT_GT(*std::max_element(before.begin(), before.end()), 1000u);
    EXPECT_LE(*std::max_element(after.begin(), after.end()), 200u);
    EXPECT_EQ(std::count(after.begin(), after.end(), 0u), 0);
  }
}

TEST(KMeans, BalancedClustersAreTheSameForAnyNumberOfThreads) {
  const Matrix<float> rows = crowded_rows(4);
  KMeansOptions options = clusters(60);
  options.most_of_mean = 1.5;
  options.control.threads = 1;
  const Matrix<float> one = kmeans(rows, options);
  options.control.threads = 3;
  const Matrix<float> three = kmeans(rows, options);
  for (std::size_t c = 0; c < 60; ++c) {
    EXPECT_TRUE(std::equal(one.row(c), one.row(c) + 8, three.row(c))) << c;
  }
}

TEST(KMeans, BalancingEndsWhereManyRowsAreEqual) {
  Matrix<float> rows(2000, 4);  // 1,900 zeros
  const Matrix<float> few = normal_rows(100, 4, 6);
  for (std::size_t i = 0; i < 100; ++i) std::copy_n(few.row(i), 4, rows.row(i * 20));
  KMeansOptions options = clusters(20);
  options.most_of_mean = 2;
  const auto sizes = sizes_of(rows, options);
  EXPECT_GE(*std::max_element(sizes.begin(), sizes.end()), 1900u);
}

TEST(KMeans, WithFewerRowsThanClustersReturnsTheRows) {
  const Matrix<float> rows = normal_rows(3, 4, 7);
  const Matrix<float> centres = kmeans(rows, clusters(5));
  for (std::size_t c = 0; c < 5; ++c) {
    EXPECT_TRUE(std::equal(rows.row(c % 3), rows.row(c % 3) + 4, centres.row(c)));
  }
  EXPECT_THROW(kmeans(rows, clusters(0)), Error);
}

}  // namespace
}  // namespace kith
