#include "simd/activations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "simd/matmul.h"

namespace kith::simd {
namespace {

std::vector<float> random_row(std::size_t n, double spread, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> row(n);
  for (float& x : row) x = static_cast<float>(spread * random.normal());
  return row;
}

double exact(Activation activation, double x) {
  switch (activation) {
    case Activation::gelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
    case Activation::identity:
      return x;
  }
  return 0;
}

constexpr Activation kAll[] = {Activation::gelu, Activation::gelu_tanh, Activation::relu,
                               Activation::silu, Activation::tanh,      Activation::identity};

TEST(Activations, FollowTheirDefinitionsOverTheWholeRange) {
  std::vector<float> x, out;
  for (int i = -4000; i <= 4000; ++i) x.push_back(static_cast<float>(i) * 0.005f);
  for (const float far : {-1e30f, -200.0f, 200.0f, 1e30f, 0.0f, -1e-20f}) x.push_back(far);
  out.resize(x.size());
  for (const Activation activation : kAll) {
    activation_kernels().activate(activation, x.data(), x.size(), out.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double wanted = exact(activation, x[i]);
      ASSERT_NEAR(out[i], wanted, 1e-6 + 1e-6 * std::abs(wanted))
          << x[i] << " by " << static_cast<int>(activation);
    }
  }
}

TEST(Activations, GatesMultiplyAndTouchNothingBehindTheRow) {
  for (const std::size_t n : {1, 7, 16, 33}) {
    const std::vector<float> gate = random_row(n, 2, 1), x = random_row(n, 2, 2);
    for (const Activation activation : kAll) {
      std::vector<float> out(n + 1, 7);
      activation_kernels().gate(activation, gate.data(), x.data(), n, out.data());
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_NEAR(out[i], exact(activation, gate[i]) * x[i], 1e-5) << i;
      }
      EXPECT_EQ(out[n], 7);
    }
  }
}

TEST(Activations, ColumnsBecomeSoftmaxTimesTheirSums) {
  const std::size_t width = 2 * matmul_kernels().b_rows;
  for (const std::size_t rows : {1, 5, 40}) {
    std::vector<float> x = random_row(rows * width, 5, rows), inverses(width + 1, 7);
    const std::vector<float> before = x;
    activation_kernels().exp_columns(x.data(), rows, width, inverses.data());
    for (std::size_t j = 0; j < width; ++j) {
      double total = 0;
      for (std::size_t i = 0; i < rows; ++i) {
        total += std::exp(static_cast<double>(before[i * width + j]));
      }
      for (std::size_t i = 0; i < rows; ++i) {
        const double wanted = std::exp(static_cast<double>(before[i * width + j])) / total;
        ASSERT_NEAR(x[i * width + j] * inverses[j], wanted, 1e-6) << rows << ": " << i << ", " << j;
      }
    }
    EXPECT_EQ(inverses[width], 7);
  }
}

TEST(Activations, SoftmaxOfLargeScoresIsFinite) {
  const std::size_t width = matmul_kernels().b_rows;
  std::vector<float> x(3 * width, 1e30f), inverses(width);
  x[width] = -1e30f;
  activation_kernels().exp_columns(x.data(), 3, width, inverses.data());
  EXPECT_FLOAT_EQ(x[0] * inverses[0], 0.5f);
  EXPECT_NEAR(x[width] * inverses[0], 0, 1e-30);
}

TEST(Activations, NormsFollowTheirDefinitions) {
  for (const std::size_t n : {1, 12, 64, 77}) {
    std::vector<float> x = random_row(n, 3, 1);
    for (float& v : x) v += 10;
    const std::vector<float> scale = random_row(n, 1, 2), shift = random_row(n, 1, 3);
    double mean = 0, square = 0, variance = 0;
    for (const float v : x) mean += v / static_cast<double>(n);
    for (const float v : x) square += static_cast<double>(v) * v / static_cast<double>(n);
    for (const float v : x) variance += (v - mean) * (v - mean) / static_cast<double>(n);
    std::vector<float> layer(n), rms(n);
    activation_kernels().layer_norm(x.data(), n, scale.data(), shift.data(), 1e-5f, layer.data());
    activation_kernels().rms_norm(x.data(), n, scale.data(), nullptr, 1e-5f, rms.data());
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_NEAR(layer[i], (x[i] - mean) / std::sqrt(variance + 1e-5) * scale[i] + shift[i], 1e-4);
      ASSERT_NEAR(rms[i], x[i] / std::sqrt(square + 1e-5) * scale[i], 1e-5);
    }
  }
}

TEST(Activations, RotationsTurnEachPairByItsAngle) {
  const std::vector<float> angles = random_row(5, 2, 1), x = random_row(10, 1, 2);
  std::vector<float> cosines(5), sines(5), halves = x, pairs = x;
  for (std::size_t i = 0; i < 5; ++i) {
    cosines[i] = std::cos(angles[i]);
    sines[i] = std::sin(angles[i]);
  }
  activation_kernels().rotate_halves(cosines.data(), sines.data(), 5, halves.data());
  activation_kernels().rotate_pairs(cosines.data(), sines.data(), 5, pairs.data());
  for (std::size_t i = 0; i < 5; ++i) {
    const float c = cosines[i], s = sines[i];
    EXPECT_FLOAT_EQ(halves[i], x[i] * c - x[i + 5] * s);
    EXPECT_FLOAT_EQ(halves[i + 5], x[i + 5] * c + x[i] * s);
    EXPECT_FLOAT_EQ(pairs[2 * i], x[2 * i] * c - x[2 * i + 1] * s);
    EXPECT_FLOAT_EQ(pairs[2 * i + 1], x[2 * i + 1] * c + x[2 * i] * s);
  }
}

}  // namespace
}  // namespace kith::simd
