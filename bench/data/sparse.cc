#include "bench/data/sparse.h"

#include "base/parallel.h"

namespace kith::bench {

Sparse transpose(const Sparse& matrix) {
  Sparse result;
  result.cols = matrix.rows();
  result.offsets.assign(matrix.cols + 1, 0);
  for (const std::uint32_t column : matrix.columns) ++result.offsets[column + 1];
  for (std::size_t i = 0; i < matrix.cols; ++i) result.offsets[i + 1] += result.offsets[i];
  result.columns.resize(matrix.columns.size());
  result.values.resize(matrix.values.size());
  std::vector<std::size_t> next(result.offsets.begin(), result.offsets.end() - 1);
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    for (std::size_t e = matrix.offsets[i]; e < matrix.offsets[i + 1]; ++e) {
      const std::size_t to = next[matrix.columns[e]]++;
      result.columns[to] = static_cast<std::uint32_t>(i);
      result.values[to] = matrix.values[e];
    }
  }
  return result;
}

Dense multiply(const Sparse& matrix, const Dense& dense, const Control& control) {
  Dense result(matrix.rows(), dense.cols());
  const auto width = static_cast<std::size_t>(dense.cols());
  parallel_for(control, matrix.rows(), 256, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      float* __restrict to = result.data() + i * width;
      for (std::size_t j = 0; j < width; ++j) to[j] = 0;
      for (std::size_t e = matrix.offsets[i]; e < matrix.offsets[i + 1]; ++e) {
        const float* __restrict from = dense.data() + matrix.columns[e] * width;
        const float value = matrix.values[e];
        for (std::size_t j = 0; j < width; ++j) to[j] += value * from[j];
      }
    }
  });
  return result;
}

}  // namespace kith::bench
