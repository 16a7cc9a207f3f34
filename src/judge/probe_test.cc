// The logistic probe and mini-batch k-means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "judge/logistic.h"
#include "judge/mini_batch_kmeans.h"
#include "kith/error.h"

namespace kith::judge {
namespace {

// 24 rows of 4 columns, labels in turn, as the values below were computed on.
struct Data {
  Eigen::MatrixXd rows{24, 4};
  std::vector<Label> labels;
};
Data data(int kinds) {
  Data result;
  for (int i = 0; i < 24; ++i) {
    for (int j = 0; j < 4; ++j) {
      result.rows(i, j) = std::sin(1.0 + i * 0.7 + j * 1.3 + (i % kinds) * j * 0.5);
    }
    result.labels.push_back(static_cast<Label>(i % kinds));
  }
  return result;
}

const LbfgsOptions kPrecise = {.iterations = 1000, .gradient = 1e-10, .progress = 0};

void expect_near(const Eigen::MatrixXd& found, const std::vector<double>& expected) {
  constexpr double kTolerance = 1e-6;
  ASSERT_EQ(static_cast<std::size_t>(found.size()), expected.size());
  for (Eigen::Index i = 0; i < found.rows(); ++i) {
    for (Eigen::Index j = 0; j < found.cols(); ++j) {
      EXPECT_NEAR(found(i, j), expected[static_cast<std::size_t>(i * found.cols() + j)], kTolerance)
          << i << ", " << j;
    }
  }
}

// Expected: scikit-learn 1.2.1, LogisticRegression(solver='newton-cg', tol=1e-13): to rounding.
TEST(LogisticRegression, OfTwoLabelsAgreesWithScikitLearn) {
  const Data two = data(2);
  const LogisticRegression probe(two.rows, two.labels, 1, kPrecise);
  expect_near(probe.weights(), {0.0913928699, 0.0089591528, 0.2912596680, 0.1323643694});
  expect_near(probe.intercepts(), {-0.0001466715});
}

TEST(LogisticRegression, OfThreeLabelsAgreesWithScikitLearn) {
  const Data three = data(3);
  const LogisticRegression probe(three.rows, three.labels, 1, kPrecise);
  expect_near(probe.weights(), {0.0240714540, -0.0151606415, -0.2238469050, -0.0999470284,
                                0.0031323877, 0.0538477132, 0.0658646075, 0.2478836772,
                                -0.0272038417, -0.0386870717, 0.1579822975, -0.1479366489});
  expect_near(probe.intercepts(), {-0.0022677897, 0.0074980850, -0.0052302952});
}

// Expected: LogisticRegression(max_iter=100).predict, as MTEB runs it.
TEST(LogisticRegression, PredictsWhatScikitLearnDoesByDefault) {
  const Data two = data(2), three = data(3);
  EXPECT_THAT(
      LogisticRegression(two.rows, two.labels).predict(two.rows),
      testing::ElementsAre(0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1));
  EXPECT_THAT(
      LogisticRegression(three.rows, three.labels).predict(three.rows),
      testing::ElementsAre(0, 0, 2, 1, 2, 2, 1, 2, 1, 0, 0, 2, 1, 2, 2, 1, 2, 1, 0, 0, 2, 1, 2, 2));
}

TEST(LogisticRegression, NeedsTwoKindsOfLabels) {
  const Data two = data(2);
  EXPECT_THROW(LogisticRegression(two.rows, std::vector<Label>(24, 1)), Error);
  EXPECT_THROW(LogisticRegression(two.rows, std::vector<Label>(3, 1)), Error);
}

TEST(Lbfgs, FindsTheBottomOfRosenbrocksValley) {
  const Objective valley = [](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    const double a = 1 - x(0), b = x(1) - x(0) * x(0);
    gradient(0) = -2 * a - 400 * x(0) * b;
    gradient(1) = 200 * b;
    return a * a + 100 * b * b;
  };
  Eigen::VectorXd x(2);
  x << -1.2, 1;
  EXPECT_LT(minimise(valley, x, kPrecise), 100);
  EXPECT_NEAR(x(0), 1, 1e-8);
  EXPECT_NEAR(x(1), 1, 1e-8);
}

// Normal groups far apart, `each` rows a group.
FloatRows groups(int count, int each, std::vector<Label>& truth) {
  Random random(3);
  FloatRows rows(count * each, 8);
  for (int i = 0; i < rows.rows(); ++i) {
    truth.push_back(static_cast<Label>(i % count));
    Random centre(17, truth.back());
    for (int j = 0; j < 8; ++j) {
      rows(i, j) = static_cast<float>(8 * centre.normal() + 0.5 * random.normal());
    }
  }
  return rows;
}

TEST(MiniBatchKMeans, FindsGroupsThatLieApart) {
  std::vector<Label> truth;
  const FloatRows rows = groups(6, 200, truth);
  MiniBatchOptions options;
  options.clusters = 6;
  options.batch = 64;
  EXPECT_GT(v_measure(truth, mini_batch_kmeans(rows, options)).v_measure, 0.99);
}

TEST(MiniBatchKMeans, IsTheSameForTheSameSeed) {
  std::vector<Label> truth;
  const FloatRows rows = groups(5, 50, truth);
  MiniBatchOptions options;
  options.clusters = 9;
  options.seed = 4;
  EXPECT_EQ(mini_batch_kmeans(rows, options), mini_batch_kmeans(rows, options));
}

TEST(MiniBatchKMeans, TakesEqualRowsAndRefusesTooManyClusters) {
  MiniBatchOptions options;
  options.clusters = 3;
  EXPECT_EQ(mini_batch_kmeans(FloatRows::Ones(5, 2), options).size(), 5u);
  options.clusters = 6;
  EXPECT_THROW(mini_batch_kmeans(FloatRows::Ones(5, 2), options), Error);
}

}  // namespace
}  // namespace kith::judge
