#include "codec/learned_rotation.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "codec/dense.h"
#include "codec/mean.h"
#include "codec/products.h"

namespace kith {
Matrix<float> allocate_directions(MatrixView<const float> sample, std::size_t parts,
                                  const Control& control) {
  const std::size_t dim = sample.cols();
  const std::vector<float> mean = column_means(sample);
  Matrix<float> centred(sample.rows(), dim);
  for (std::size_t i = 0; i < sample.rows(); ++i) {
    for (std::size_t j = 0; j < dim; ++j) centred(i, j) = sample(i, j) - mean[j];
  }
  const Eigen::SelfAdjointEigenSolver<Dense> solver(
      to_dense(sum_of_products(centred, centred, control)));
  const double largest = std::max(solver.eigenvalues().maxCoeff(), 1e-300);
  std::vector<double> logs(parts, 0.0);  // of each part's product
  std::vector<std::size_t> used(parts, 0);
  Matrix<float> rotation(dim, dim);
  const auto begin = [&](std::size_t part) { return part * dim / parts; };
  for (std::size_t d = dim; d-- > 0;) {  // eigenvalues ascend
    std::size_t best = parts;
    for (std::size_t part = 0; part < parts; ++part) {
      if (begin(part) + used[part] == begin(part + 1)) continue;
      if (best == parts || logs[part] < logs[best]) best = part;
    }
    const auto column = static_cast<Eigen::Index>(d);
    float* row = rotation.row(begin(best) + used[best]++);
    for (std::size_t j = 0; j < dim; ++j) {
      row[j] = static_cast<float>(solver.eigenvectors()(static_cast<Eigen::Index>(j), column));
    }
    // Relative to a hundred-thousandth of the largest, so that logarithms are positive: a part
    // that has a direction already counts as fuller than one with none.
    const double share = std::max(solver.eigenvalues()[column] / largest, 1e-5);
    logs[best] += std::log(share * 1e5) + 1e-9;
  }
  return rotation;
}

Matrix<float> procrustes(MatrixView<const float> sample, MatrixView<const float> targets,
                         const Control& control) {
  const Eigen::BDCSVD<Dense> svd(to_dense(sum_of_products(targets, sample, control)),
                                 Eigen::ComputeFullU | Eigen::ComputeFullV);
  return to_floats(svd.matrixU() * svd.matrixV().transpose());
}

}  // namespace kith
