#include "simd/narrow_dense.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "base/test_rows.h"
#include "kith/half.h"

namespace kith::simd {
namespace {

class EveryLevelOfDense : public testing::TestWithParam<Level> {
 protected:
  Matrix<float> through(const Matrix<float>& x, const NarrowWeights& w, std::size_t threads = 1,
                        Activation after = Activation::identity) const {
    Matrix<float> y(x.rows(), w.outputs());
    NarrowScratch scratch;
    WorkerTeam team({.threads = threads, .cancel = nullptr, .progress = {}});
    narrow_dense(GetParam(), team, true, x, w, y, after, scratch);
    return y;
  }
};

double rounded(float value) { return static_cast<double>(static_cast<float>(BFloat16(value))); }

TEST_P(EveryLevelOfDense, Bfloat16IsTheProductOfRoundedValues) {
  for (const std::size_t inputs : {1, 7, 64, 100}) {
    for (const std::size_t outputs : {1, 31, 32, 70}) {
      const Matrix<float> x = normal_rows(37, inputs, 1), w = normal_rows(outputs, inputs, 2);
      const Matrix<float> bias = normal_rows(1, outputs, 3);
      const Matrix<float> y = through(x, NarrowWeights(w, bias.data(), Precision::bf16));
      for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < outputs; ++j) {
          double sum = bias(0, j);
          for (std::size_t k = 0; k < inputs; ++k) sum += rounded(x(i, k)) * rounded(w(j, k));
          ASSERT_NEAR(y(i, j), sum, 1e-4) << inputs << " to " << outputs;
        }
      }
    }
  }
}

// Rounding x by half a step and w by half a step changes a product by no more than this.
TEST_P(EveryLevelOfDense, BytesStayWithinTheErrorOfTheirSteps) {
  for (const std::size_t inputs : {1, 7, 64, 100}) {
    for (const std::size_t outputs : {1, 31, 32, 70}) {
      const Matrix<float> x = normal_rows(37, inputs, 1), w = normal_rows(outputs, inputs, 2);
      const Matrix<float> bias = normal_rows(1, outputs, 3);
      const Matrix<float> y = through(x, NarrowWeights(w, bias.data(), Precision::int8));
      for (std::size_t i = 0; i < x.rows(); ++i) {
        float low = 0, high = 0;
        for (std::size_t k = 0; k < inputs; ++k) {
          low = std::min(low, x(i, k));
          high = std::max(high, x(i, k));
        }
        const double x_step = (high - low) / 255;
        for (std::size_t j = 0; j < outputs; ++j) {
          double sum = bias(0, j), most = 0, error = 0;
          for (std::size_t k = 0; k < inputs; ++k) {
            most = std::max(most, std::fabs(static_cast<double>(w(j, k))));
          }
          for (std::size_t k = 0; k < inputs; ++k) {
            sum += static_cast<double>(x(i, k)) * w(j, k);
            error += x_step * std::fabs(w(j, k)) / 2 + std::fabs(x(i, k)) * most / 254 +
                     x_step * most / 508;
          }
          ASSERT_NEAR(y(i, j), sum, 1.01 * error + 1e-5) << inputs << " to " << outputs;
        }
      }
    }
  }
}

TEST_P(EveryLevelOfDense, BytesLoseLittleOfALongProduct) {
  const Matrix<float> x = normal_rows(20, 768, 1), w = normal_rows(64, 768, 2);
  const Matrix<float> y = through(x, NarrowWeights(w, nullptr, Precision::int8));
  double error = 0, size = 0;
  for (std::size_t i = 0; i < x.rows(); ++i) {
    for (std::size_t j = 0; j < w.rows(); ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < x.cols(); ++k) sum += static_cast<double>(x(i, k)) * w(j, k);
      error += (y(i, j) - sum) * (y(i, j) - sum);
      size += sum * sum;
    }
  }
  EXPECT_LT(std::sqrt(error / size), 0.02);
}

TEST_P(EveryLevelOfDense, RowsDependNeitherOnTheirNeighboursNorOnThreads) {
  const Matrix<float> x = normal_rows(300, 200, 1), rows = normal_rows(133, 200, 2);
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    const NarrowWeights w(rows, nullptr, precision);
    const Matrix<float> all = through(x, w), threaded = through(x, w, 4);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      ASSERT_EQ(0, std::memcmp(all.row(i), threaded.row(i), 133 * sizeof(float))) << i;
    }
    Matrix<float> alone(1, 200);
    std::memcpy(alone.data(), x.row(123), 200 * sizeof(float));
    EXPECT_EQ(0, std::memcmp(through(alone, w).data(), all.row(123), 133 * sizeof(float)));
  }
}

TEST_P(EveryLevelOfDense, ScratchOfAWiderLayerLeavesNoTrace) {
  const Matrix<float> wide = normal_rows(40, 300, 1, 100), narrow = normal_rows(40, 70, 2);
  const Matrix<float> wide_rows = normal_rows(33, 300, 3), narrow_rows = normal_rows(33, 70, 4);
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    const NarrowWeights first(wide_rows, nullptr, precision),
        second(narrow_rows, nullptr, precision);
    NarrowScratch scratch;
    WorkerTeam alone({.threads = 1, .cancel = nullptr, .progress = {}});
    Matrix<float> y(40, 33), z(40, 33);
    narrow_dense(GetParam(), alone, false, wide, first, y, Activation::identity, scratch);
    narrow_dense(GetParam(), alone, false, narrow, second, z, Activation::identity, scratch);
    const Matrix<float> fresh = through(narrow, second);
    for (std::size_t i = 0; i < 40; ++i) {
      ASSERT_EQ(0, std::memcmp(z.row(i), fresh.row(i), 33 * sizeof(float)));
    }
  }
}

TEST_P(EveryLevelOfDense, TheActivationFollowsTheSum) {
  const Matrix<float> x = normal_rows(40, 64, 1), rows = normal_rows(45, 64, 2);
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    const NarrowWeights w(rows, nullptr, precision);
    Matrix<float> plain = through(x, w);
    const Matrix<float> after = through(x, w, 1, Activation::relu);
    for (std::size_t i = 0; i < x.rows(); ++i) {
      for (std::size_t j = 0; j < rows.rows(); ++j) {
        ASSERT_EQ(after(i, j), std::max(0.0f, plain(i, j)));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Simd, EveryLevelOfDense, testing::ValuesIn(supported_levels()),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace kith::simd
