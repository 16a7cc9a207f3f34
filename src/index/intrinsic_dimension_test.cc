#include "index/intrinsic_dimension.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "index/test_data.h"

namespace kith {
namespace {

TEST(IntrinsicDimension, OfDistancesThatGrowAsInABallIsThatOfTheBall) {
  // In d dimensions the i-th of k neighbours lies at (i / k)^(1/d).
  for (const double d : {1.0, 4.0, 20.0}) {
    std::vector<double> distances;
    for (int i = 1; i <= 1000; ++i) distances.push_back(std::pow(i / 1000.0, 1 / d));
    EXPECT_NEAR(local_intrinsic_dimension(distances), d, 0.02 * d);
  }
}

TEST(IntrinsicDimension, IsZeroWhereDistancesTellNothing) {
  EXPECT_EQ(local_intrinsic_dimension({}), 0);
  EXPECT_EQ(local_intrinsic_dimension(std::vector<double>{2, 2, 2}), 0);
}

TEST(IntrinsicDimension, OfAFlatInManyDimensionsIsThatOfTheFlat) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Matrix<float> points = flat_cube(5000, 40, 3, seed);
    EXPECT_NEAR(median_intrinsic_dimension(points.view(), Metric::l2, seed, {}), 3, 0.5);
  }
}

TEST(IntrinsicDimension, OfTooFewOrEqualPointsIsZero) {
  EXPECT_EQ(median_intrinsic_dimension(flat_cube(30, 8, 2, 1).view(), Metric::l2, 1, {}), 0);
  Matrix<float> equal(500, 4);
  for (std::size_t i = 0; i < 500; ++i) std::fill_n(equal.row(i), 4, 1.0f);
  EXPECT_EQ(median_intrinsic_dimension(equal.view(), Metric::l2, 1, {}), 0);
}

}  // namespace
}  // namespace kith
