// A sparse matrix by rows, and its products with dense matrices on several threads.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kith/control.h"

namespace kith::bench {

using Dense = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct Sparse {
  std::size_t cols = 0;
  std::vector<std::size_t> offsets{0};  // row i's entries are [offsets[i], offsets[i + 1])
  std::vector<std::uint32_t> columns;   // ascending within a row
  std::vector<float> values;

  std::size_t rows() const { return offsets.size() - 1; }
};

Sparse transpose(const Sparse& matrix);

// matrix * dense. Each row of the result is summed in one order, so threads don't change it.
Dense multiply(const Sparse& matrix, const Dense& dense, const Control& control);

}  // namespace kith::bench
