#include <string>

#include "base/random.h"
#include "codec/binariser.h"
#include "codec/dense.h"
#include "codec/mean.h"
#include "codec/products.h"
#include "kith/error.h"

namespace kith {
namespace {

constexpr int kRotations = 50;  // as the authors'

Dense doubles_of(const Matrix<float>& from) {
  Dense to(static_cast<Eigen::Index>(from.rows()), static_cast<Eigen::Index>(from.cols()));
  for (std::size_t i = 0; i < from.rows(); ++i) {
    for (std::size_t j = 0; j < from.cols(); ++j) {
      to(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = from(i, j);
    }
  }
  return to;
}

// The rotation R for which |sgn(V R) - V R| is least, in turn with the signs.
Dense rotation_to_signs(const Dense& v, std::uint64_t seed) {
  const auto dims = static_cast<std::size_t>(v.cols());
  Dense rotation = doubles_of(random_directions(dims, dims, seed)).transpose();
  for (int round = 0; round < kRotations; ++round) {
    const Dense signs = (v * rotation).unaryExpr([](double x) { return x >= 0 ? 1.0 : -1.0; });
    const Eigen::BDCSVD<Dense> svd(signs.transpose() * v,
                                   Eigen::ComputeFullU | Eigen::ComputeFullV);
    rotation = svd.matrixV() * svd.matrixU().transpose();
  }
  return rotation;
}

}  // namespace

Binariser learn_itq(MatrixView<const float> rows, std::size_t dims, std::uint64_t seed) {
  constexpr std::size_t kMostRows = 10000;  // that a rotation is learned from
  const std::string name = "itq" + std::to_string(dims);
  const std::size_t dim = rows.cols();
  if (dims > dim) {
    throw Error(ErrorCode::invalid_argument,
                name + ": more than the vectors' " + std::to_string(dim) + " dimensions");
  }
  if (rows.rows() < dims) {
    throw Error(ErrorCode::invalid_argument, name + ": " + std::to_string(rows.rows()) +
                                                 " vectors to learn from, expected " +
                                                 std::to_string(dims) + " or more");
  }
  const auto chosen = random_sample(rows.rows(), kMostRows, seed);
  const std::vector<float> mean = column_means(rows);
  Matrix<float> centred(chosen.size(), dim);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    for (std::size_t j = 0; j < dim; ++j) centred(i, j) = rows(chosen[i], j) - mean[j];
  }
  const Eigen::SelfAdjointEigenSolver<Dense> solver(to_dense(
      sum_of_products(centred, centred, {.threads = 1, .cancel = nullptr, .progress = {}})));
  const Dense directions = solver.eigenvectors().rightCols(static_cast<Eigen::Index>(dims));
  const Dense rotation = rotation_to_signs(doubles_of(centred) * directions, seed);

  Binariser own;
  own.dim = dim;
  own.dims = dims;
  own.binarise.resize(1);
  BinariserBlock& block = own.binarise[0];
  block.skip = to_floats((directions * rotation).transpose());
  for (std::size_t i = 0; i < dims; ++i) {
    double along = 0;
    for (std::size_t j = 0; j < dim; ++j) along += static_cast<double>(block.skip(i, j)) * mean[j];
    block.bias.push_back(static_cast<float>(-along));
  }
  own.seal();
  return own;
}

}  // namespace kith
