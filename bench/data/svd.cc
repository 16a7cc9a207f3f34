#include "bench/data/svd.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>

#include "base/parallel.h"
#include "base/random.h"

namespace kith::bench {
namespace {

constexpr Eigen::Index kPanel = 128;  // columns or rows a task works on

std::size_t panels(Eigen::Index count) {
  return static_cast<std::size_t>((count + kPanel - 1) / kPanel);
}

// x' * x. Products over 1,024 rows are summed in float32 and those sums in double, because the
// eigenvalues of a nearly dependent basis span more than float32 can tell apart.
Eigen::MatrixXd gram(const Dense& x, const Control& control) {
  constexpr Eigen::Index kRows = 1024;
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(x.cols(), x.cols());
  parallel_for(control, panels(x.cols()), 1, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t p = first; p < last; ++p) {
      const Eigen::Index column = static_cast<Eigen::Index>(p) * kPanel;
      const Eigen::Index width = std::min(kPanel, x.cols() - column);
      for (Eigen::Index row = 0; row < x.rows(); row += kRows) {
        const Eigen::Index height = std::min(kRows, x.rows() - row);
        const Eigen::MatrixXf part =
            x.middleRows(row, height).transpose() * x.block(row, column, height, width);
        result.middleCols(column, width) += part.cast<double>();
      }
    }
  });
  return (result + result.transpose()) / 2;
}

// x * factor.
Dense multiply(const Dense& x, const Eigen::MatrixXf& factor, const Control& control) {
  Dense result(x.rows(), factor.cols());
  parallel_for(control, panels(x.rows()), 1, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t p = first; p < last; ++p) {
      const Eigen::Index row = static_cast<Eigen::Index>(p) * kPanel;
      const Eigen::Index height = std::min(kPanel, x.rows() - row);
      result.middleRows(row, height).noalias() = x.middleRows(row, height) * factor;
    }
  });
  return result;
}

// Makes the columns orthonormal through the eigenvectors of their Gram matrix, twice: the second
// time removes the rounding of the first.
void orthonormalise(Dense& x, const Control& control) {
  for (int pass = 0; pass < 2; ++pass) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram(x, control));
    const double floor = solver.eigenvalues().maxCoeff() * 1e-10;
    const Eigen::VectorXd scale = solver.eigenvalues().cwiseMax(floor).cwiseSqrt().cwiseInverse();
    x = multiply(x, (solver.eigenvectors() * scale.asDiagonal()).cast<float>(), control);
  }
}

Dense random_start(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  Dense start(rows, cols);
  for (std::size_t i = 0; i < rows; ++i) {
    Random random(seed, i);
    for (std::size_t j = 0; j < cols; ++j) {
      start(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) =
          static_cast<float>(random.normal());
    }
  }
  return start;
}

}  // namespace

Dense truncated_svd_rows(const Sparse& matrix, const SvdOptions& options) {
  const Sparse flipped = transpose(matrix);
  const std::size_t width =
      std::min(options.rank + options.oversampling, std::min(matrix.rows(), matrix.cols));
  Dense right = random_start(matrix.cols, width, options.seed);
  for (std::size_t i = 0; i < options.iterations; ++i) {
    right = multiply(flipped, multiply(matrix, right, options.control), options.control);
    orthonormalise(right, options.control);
  }
  // With B = matrix * right, the eigenvectors W of B'B turn it into U * S = B * W.
  Dense rows = multiply(matrix, right, options.control);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram(rows, options.control));
  const auto rank = static_cast<Eigen::Index>(std::min(options.rank, width));
  const Eigen::MatrixXf turn =
      solver.eigenvectors().rightCols(rank).rowwise().reverse().cast<float>();
  return multiply(rows, turn, options.control);
}

}  // namespace kith::bench
