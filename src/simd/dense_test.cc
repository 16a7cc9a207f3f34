#include "simd/dense.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/test_rows.h"
#include "kith/error.h"

namespace kith::simd {
namespace {

Matrix<float> through(const Matrix<float>& x, const PackedWeights& w, std::size_t threads) {
  Matrix<float> y(x.rows(), w.outputs());
  DenseScratch scratch;
  WorkerTeam team({.threads = threads, .cancel = nullptr, .progress = {}});
  dense(team, x, w, y, scratch);
  return y;
}

TEST(Dense, EqualsTheDefinitionForEveryShape) {
  for (const std::size_t inputs : {1, 7, 64}) {
    for (const std::size_t outputs : {1, 31, 32, 100}) {
      for (const std::size_t rows : {1, 5, 13, 14, 15, 29, 40}) {
        const Matrix<float> x = normal_rows(rows, inputs, 1), w = normal_rows(outputs, inputs, 2);
        const Matrix<float> bias = normal_rows(1, outputs, 3);
        const Matrix<float> y = through(x, PackedWeights(w, bias.data()), 1);
        for (std::size_t i = 0; i < rows; ++i) {
          for (std::size_t j = 0; j < outputs; ++j) {
            double sum = bias(0, j);
            for (std::size_t k = 0; k < inputs; ++k) sum += static_cast<double>(x(i, k)) * w(j, k);
            ASSERT_NEAR(y(i, j), sum, 1e-5) << rows << " x " << inputs << " x " << outputs;
          }
        }
      }
    }
  }
}

TEST(Dense, RowsDependNeitherOnTheirNeighboursNorOnThreads) {
  const Matrix<float> x = normal_rows(300, 500, 1);
  const PackedWeights w(normal_rows(333, 500, 2), nullptr);
  const Matrix<float> all = through(x, w, 1), threaded = through(x, w, 4);
  for (std::size_t i = 0; i < x.rows(); ++i) {
    ASSERT_EQ(0, std::memcmp(all.row(i), threaded.row(i), 333 * sizeof(float))) << i;
  }
  Matrix<float> alone(1, 500);
  std::memcpy(alone.data(), x.row(123), 500 * sizeof(float));
  EXPECT_EQ(0, std::memcmp(through(alone, w, 1).data(), all.row(123), 333 * sizeof(float)));
}

TEST(Dense, TheActivationFollowsTheSum) {
  const Matrix<float> x = normal_rows(33, 20, 1);
  const PackedWeights w(normal_rows(45, 20, 2), nullptr);
  const Matrix<float> plain = through(x, w, 1);
  Matrix<float> after(33, 45);
  DenseScratch scratch;
  WorkerTeam alone({.threads = 1, .cancel = nullptr, .progress = {}});
  dense(alone, x, w, after, scratch, Activation::relu);
  for (std::size_t i = 0; i < x.rows(); ++i) {
    for (std::size_t j = 0; j < w.outputs(); ++j) {
      ASSERT_EQ(after(i, j), std::max(0.0f, plain(i, j)));
    }
  }
}

TEST(Dense, RefusesShapesThatDoNotFit) {
  const PackedWeights w(normal_rows(5, 8, 1), nullptr);
  EXPECT_THROW(through(normal_rows(3, 7, 1), w, 1), Error);
}

}  // namespace
}  // namespace kith::simd
