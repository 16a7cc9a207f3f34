#include "kith/lid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "index/test_data.h"
#include "kith/error.h"
#include "kith/index.h"

namespace kith {
namespace {

double mean(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// By the definition, from all distances in double precision.
float slow_lid(const Matrix<float>& rows, std::size_t of, std::size_t neighbours) {
  std::vector<double> distances;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    double squared = 0;
    for (std::size_t j = 0; j < rows.cols(); ++j) {
      squared += std::pow(double{rows(i, j)} - rows(of, j), 2);
    }
    if (squared > 0) distances.push_back(std::sqrt(squared));
  }
  std::sort(distances.begin(), distances.end());
  double sum = 0;
  for (std::size_t i = 0; i < neighbours; ++i) {
    sum += std::log(distances[i] / distances[neighbours - 1]);
  }
  return static_cast<float>(-static_cast<double>(neighbours) / sum);
}

TEST(Lid, IsTheMaximumLikelihoodOfTheTrueDistances) {
  const Matrix<float> rows = flat_cube(600, 10, 4, 1);
  const LidEstimates found = estimate_lid(rows, {.neighbours = 50});
  ASSERT_EQ(found.lid.size(), 600u);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const float slow = slow_lid(rows, i, 50);
    EXPECT_NEAR(found.lid[i], slow, 1e-4 * slow);
  }
  EXPECT_EQ(found.undefined, 0u);
}

TEST(Lid, OfAFlatInManyDimensionsIsThatOfTheFlat) {
  for (const std::size_t flat : {1, 2, 5}) {
    const Matrix<float> rows = flat_cube(4000, 24, flat, flat);
    const LidEstimates found = estimate_lid(rows, {.neighbours = 20});
    const auto d = static_cast<double>(flat);
    EXPECT_NEAR(mean(found.lid), d, 0.2 * d);
    EXPECT_NEAR(found.two_nearest, d, 0.12 * d);
  }
}

TEST(Lid, TellsThePartsOfASetApart) {
  Matrix<float> rows(2000, 24);
  const Matrix<float> thin = flat_cube(1000, 24, 2, 3), thick = flat_cube(1000, 24, 8, 4);
  for (std::size_t i = 0; i < 1000; ++i) {
    std::copy_n(thin.row(i), 24, rows.row(i));
    std::copy_n(thick.row(i), 24, rows.row(1000 + i));
    rows(1000 + i, 0) += 1000;
  }
  const LidEstimates found = estimate_lid(rows, {.neighbours = 30});
  const auto half = found.lid.begin() + 1000;
  const double most_thin = *std::max_element(found.lid.begin(), half);
  EXPECT_LT(most_thin, std::accumulate(half, found.lid.end(), 0.0) / 1000);
  EXPECT_GT(*std::min_element(half, found.lid.end()), 3);
}

TEST(Lid, DependsOnNeitherScaleNorThreads) {
  const Matrix<float> rows = flat_cube(9000, 6, 3, 5);
  Matrix<float> larger = rows.clone();
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t j = 0; j < rows.cols(); ++j) larger(i, j) *= 1024;
  }
  LidOptions options{.neighbours = 20};
  options.control.threads = 1;
  const LidEstimates one = estimate_lid(rows, options), scaled = estimate_lid(larger, options);
  options.control.threads = 3;
  EXPECT_EQ(one.lid, estimate_lid(rows, options).lid);
  for (std::size_t i = 0; i < rows.rows(); ++i) EXPECT_FLOAT_EQ(one.lid[i], scaled.lid[i]);
}

TEST(Lid, OfCosineIsThatOfTheDirections) {
  Matrix<float> rows = flat_cube(1500, 8, 4, 6), unit = rows.clone();
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const double norm =
        std::sqrt(std::inner_product(rows.row(i), rows.row(i) + 8, rows.row(i), 0.0));
    for (std::size_t j = 0; j < 8; ++j) unit(i, j) = static_cast<float>(rows(i, j) / norm);
  }
  const LidEstimates cosine = estimate_lid(rows, {.metric = Metric::cosine, .neighbours = 40});
  const LidEstimates l2 = estimate_lid(unit, {.neighbours = 40});
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    EXPECT_NEAR(cosine.lid[i], l2.lid[i], 0.02 * l2.lid[i]);
  }
}

TEST(Lid, LeavesCopiesOutAndSaysWhereNothingIsLeft) {
  Matrix<float> rows = flat_cube(400, 6, 3, 7);
  // Row 0 five times: still enough others.
  for (std::size_t i = 1; i < 5; ++i) std::copy_n(rows.row(0), 6, rows.row(i));
  // Row 100 sixty times: more copies than neighbours.
  for (std::size_t i = 101; i < 160; ++i) std::copy_n(rows.row(100), 6, rows.row(i));
  const LidEstimates found = estimate_lid(rows, {.neighbours = 30});
  EXPECT_GT(found.lid[0], 1);
  EXPECT_EQ(found.lid[0], found.lid[4]);
  for (std::size_t i = 100; i < 160; ++i) {
    EXPECT_EQ(found.lid[i], 0);
    EXPECT_EQ(found.ratio[i], 0);
  }
  // And what lies beside them sees sixty neighbours equally far.
  EXPECT_EQ(found.undefined, std::count(found.lid.begin(), found.lid.end(), 0.0f));
  EXPECT_LT(found.undefined, 70u);
  EXPECT_GT(found.two_nearest, 1);
}

TEST(Lid, OfEqualDistancesIsUndefined) {
  // Corners of a simplex.
  Matrix<float> rows(40, 40);
  for (std::size_t i = 0; i < 40; ++i) rows(i, i) = 1;
  const LidEstimates found = estimate_lid(rows, {.neighbours = 20});
  EXPECT_EQ(found.undefined, 40u);
  EXPECT_EQ(found.two_nearest, 0);
}

TEST(Lid, AmongASampleIsCloseToThatOfAll) {
  const Matrix<float> rows = flat_cube(6000, 12, 4, 8);
  const LidEstimates all = estimate_lid(rows, {.neighbours = 50});
  const LidEstimates some = estimate_lid(rows, {.neighbours = 50, .among = 2000});
  ASSERT_EQ(some.lid.size(), 6000u);
  EXPECT_NEAR(mean(some.lid), mean(all.lid), 0.15 * mean(all.lid));
  EXPECT_NE(some.lid, all.lid);
}

TEST(Lid, OfSomeRowsIsTheSameAsAmongAll) {
  const Matrix<float> rows = flat_cube(800, 10, 4, 9);
  const std::vector<Id> of = {799, 3, 3, 77};
  const LidEstimates all = estimate_lid(rows, {.neighbours = 40});
  const LidEstimates some = estimate_lid(rows, {.neighbours = 40, .of = of});
  ASSERT_EQ(some.lid.size(), of.size());
  for (std::size_t i = 0; i < of.size(); ++i) {
    EXPECT_EQ(some.lid[i], all.lid[of[i]]);
    EXPECT_EQ(some.ratio[i], all.ratio[of[i]]);
  }
}

TEST(Lid, ByAnIndexLeavesEachVectorsOwnCodeOut) {
  const Matrix<float> rows = flat_cube(3000, 16, 4, 11);
  const Index codes = Index::build(rows, Labels(), {.index = "graph", .codec = "lvq8"});
  const LidEstimates exact = estimate_lid(rows, {.neighbours = 40});
  const LidEstimates found = estimate_lid(rows, {.neighbours = 40, .index = &codes});
  EXPECT_NEAR(mean(found.lid), mean(exact.lid), 0.03 * mean(exact.lid));
  // Were its own code, a hundredth as far as the next, a neighbour, the ratio would tell.
  EXPECT_NEAR(found.two_nearest, exact.two_nearest, 0.2 * exact.two_nearest);
}

TEST(Lid, RefusesWhatHasNoAnswer) {
  const Matrix<float> rows = flat_cube(50, 4, 2, 10);
  EXPECT_THROW(estimate_lid(rows, {.neighbours = 1}), Error);
  EXPECT_THROW(estimate_lid(rows, {.neighbours = 50}), Error);
  EXPECT_THROW(estimate_lid(rows, {.neighbours = 30, .among = 30}), Error);
  Matrix<float> broken = rows.clone();
  broken(3, 1) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(estimate_lid(broken, {.neighbours = 20}), Error);
  const std::vector<Id> beyond = {50};
  EXPECT_THROW(estimate_lid(rows, {.neighbours = 20, .of = beyond}), Error);
  const Index inner = Index::build(rows, Labels(), {.metric = Metric::ip});
  EXPECT_THROW(estimate_lid(rows, {.neighbours = 20, .index = &inner}), Error);
  const Index own = Index::build(rows, Labels(), {});
  EXPECT_THROW(estimate_lid(rows, {.neighbours = 20, .among = 40, .index = &own}), Error);
  const Matrix<float> fewer = flat_cube(40, 4, 2, 10);
  EXPECT_THROW(estimate_lid(fewer, {.neighbours = 20, .index = &own}), Error);
}

}  // namespace
}  // namespace kith
