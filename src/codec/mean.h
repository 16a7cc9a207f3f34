// Column means in double precision.
#pragma once

#include <vector>

#include "kith/matrix.h"

namespace kith {

inline std::vector<float> column_means(MatrixView<const float> rows) {
  std::vector<double> sums(rows.cols(), 0.0);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    for (std::size_t j = 0; j < rows.cols(); ++j) sums[j] += static_cast<double>(rows(i, j));
  }
  std::vector<float> means(rows.cols(), 0.0f);
  for (std::size_t j = 0; j < rows.cols() && rows.rows() != 0; ++j) {
    means[j] = static_cast<float>(sums[j] / static_cast<double>(rows.rows()));
  }
  return means;
}

}  // namespace kith
