// Eigen, for the few files that need eigenvectors or singular vectors. Never included by a header.
#pragma once

#define EIGEN_MPL2_ONLY
#include <Eigen/Dense>

#include "kith/matrix.h"

namespace kith {

using Dense = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic>;

inline Dense to_dense(const Matrix<double>& from) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const RowMajor, 0, Eigen::OuterStride<>>(
      from.data(), static_cast<Eigen::Index>(from.rows()), static_cast<Eigen::Index>(from.cols()),
      Eigen::OuterStride<>(static_cast<Eigen::Index>(from.stride_bytes() / sizeof(double))));
}

inline Matrix<float> to_floats(const Dense& from) {
  Matrix<float> to(static_cast<std::size_t>(from.rows()), static_cast<std::size_t>(from.cols()));
  for (std::size_t i = 0; i < to.rows(); ++i) {
    for (std::size_t j = 0; j < to.cols(); ++j) {
      to(i, j) =
          static_cast<float>(from(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)));
    }
  }
  return to;
}

}  // namespace kith
