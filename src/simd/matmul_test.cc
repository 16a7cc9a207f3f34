#include "simd/matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "base/test_rows.h"
#include "kith/error.h"

namespace kith::simd {
namespace {

double dot(const Matrix<float>& a, std::size_t i, const Matrix<float>& b, std::size_t j) {
  double sum = 0;
  for (std::size_t k = 0; k < a.cols(); ++k) sum += static_cast<double>(a(i, k)) * b(j, k);
  return sum;
}

TEST(Matmul, EqualsTheDefinitionForEveryShape) {
  for (std::size_t dim : {1, 3, 4, 17, 100}) {
    for (std::size_t m : {1, 2, 13, 14, 15, 40}) {
      for (std::size_t n : {1, 5, 31, 32, 33, 100}) {
        const Matrix<float> a = normal_rows(m, dim, 1), b = normal_rows(n, dim, 2);
        Matrix<float> c(m, n);
        matmul(a, b, c);
        for (std::size_t i = 0; i < m; ++i) {
          for (std::size_t j = 0; j < n; ++j) {
            ASSERT_NEAR(c(i, j), dot(a, i, b, j), 1e-6 * static_cast<double>(dim + 10))
                << m << " x " << n << " x " << dim << " at " << i << ", " << j;
          }
        }
      }
    }
  }
}

TEST(Matmul, IntegersAreExact) {
  Matrix<float> a = normal_rows(29, 200, 1), b = normal_rows(70, 200, 2), c(29, 70);
  for (Matrix<float>* m : {&a, &b}) {
    for (std::size_t i = 0; i < m->rows(); ++i) {
      for (std::size_t j = 0; j < 200; ++j) (*m)(i, j) = std::round((*m)(i, j) * 40);
    }
  }
  matmul(a, b, c);
  for (std::size_t i = 0; i < 29; ++i) {
    for (std::size_t j = 0; j < 70; ++j) ASSERT_EQ(c(i, j), dot(a, i, b, j));
  }
}

TEST(Matmul, KeepsToItsOwnColumnsAndRows) {
  const Matrix<float> a = normal_rows(3, 8, 1), b = normal_rows(5, 8, 2);
  std::vector<float> c(5 * 9, 7.0f);
  matmul(a, b, MatrixView<float>(c.data() + 9, 3, 5, 9 * sizeof(float)));
  for (std::size_t i = 0; i < c.size(); ++i) {
    const bool inside = i / 9 >= 1 && i / 9 < 4 && i % 9 < 5;
    if (!inside) {
      EXPECT_EQ(c[i], 7.0f) << i;
    }
  }
}

TEST(Matmul, SelectReturnsExactlyTheValuesAtMostTheThreshold) {
  const MatmulKernels& kernels = matmul_kernels();
  constexpr std::size_t kDim = 23;
  const Matrix<float> a = normal_rows(kernels.a_rows, kDim, 1);
  const Matrix<float> b = normal_rows(kernels.b_rows, kDim, 2);
  Matrix<float> panel_a(1, kernels.a_rows * kDim), panel_b(1, kernels.b_rows * kDim);
  kernels.pack_a(a.data(), a.stride_bytes() / sizeof(float), a.rows(), kDim, panel_a.data());
  kernels.pack_b(b.data(), b.stride_bytes() / sizeof(float), b.rows() - 1, kDim, panel_b.data());
  std::vector<float> init(kernels.b_rows), thresholds(kernels.a_rows);
  for (std::size_t j = 0; j < init.size(); ++j) init[j] = static_cast<float>(j % 5) - 2;
  init.back() = std::numeric_limits<float>::quiet_NaN();  // the missing row
  for (std::size_t i = 0; i < thresholds.size(); ++i) {
    thresholds[i] = 3 - 2 * static_cast<float>(i % 6);
  }
  thresholds[0] = std::numeric_limits<float>::infinity();
  thresholds[1] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> c(kernels.a_rows * kernels.b_rows);
  kernels.product(panel_a.data(), panel_b.data(), kDim, init.data(), c.data(), kernels.b_rows);
  std::vector<TileHit> hits(c.size());
  hits.resize(kernels.select(panel_a.data(), panel_b.data(), kDim, init.data(), thresholds.data(),
                             hits.data()));
  std::size_t next = 0;
  for (std::size_t i = 0; i < kernels.a_rows; ++i) {
    for (std::size_t j = 0; j < kernels.b_rows; ++j) {
      const float value = c[i * kernels.b_rows + j];
      if (!(value <= thresholds[i])) continue;
      ASSERT_LT(next, hits.size());
      EXPECT_EQ(hits[next].a, i);
      EXPECT_EQ(hits[next].b, j);
      EXPECT_EQ(hits[next].value, value);
      ++next;
    }
  }
  EXPECT_EQ(next, hits.size());
  EXPECT_GE(next, kernels.b_rows - 1);  // the infinite threshold's row
}

TEST(Matmul, LowMaxIsTheLargestProductOfAnyHeightAndDimension) {
  const MatmulKernels& kernels = matmul_kernels();
  for (const std::size_t dim : {1, 7, 128, 256, 257, 600}) {
    const Matrix<float> a = normal_rows(kernels.a_rows, dim, 1);
    const Matrix<float> b = normal_rows(kernels.b_rows, dim, 2);
    Matrix<float> panel(1, kernels.b_rows * dim), staged(1, kernels.staged_floats(dim));
    kernels.pack_b(b.data(), b.stride_bytes() / sizeof(float), b.rows(), dim, panel.data());
    for (std::size_t i = 0; i < a.rows(); ++i) {
      for (std::size_t k = 0; k < dim; ++k) {
        staged.data()[k / kStagedDims * kernels.staged_piece() + i * kStagedStride +
                      k % kStagedDims] = a(i, k);
      }
    }
    for (std::size_t height = 1; height <= kernels.a_rows; ++height) {
      std::vector<float> best(kernels.b_rows, -1.5f);
      kernels.low_max[height](staged.data(), panel.data(), dim, best.data());
      for (std::size_t j = 0; j < kernels.b_rows; ++j) {
        double largest = -1.5;
        for (std::size_t i = 0; i < height; ++i) largest = std::max(largest, dot(a, i, b, j));
        ASSERT_NEAR(best[j], largest, 1e-6 * static_cast<double>(dim + 10)) << height << ", " << j;
      }
    }
  }
}

TEST(Matmul, RefusesShapesThatDoNotFit) {
  const Matrix<float> a = normal_rows(3, 8, 1), b = normal_rows(5, 7, 2);
  Matrix<float> c(3, 5);
  EXPECT_THROW(matmul(a, b, c), Error);
  EXPECT_THROW(matmul(a, a, c), Error);
}

}  // namespace
}  // namespace kith::simd
