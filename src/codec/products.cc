#include "codec/products.h"

#include <algorithm>
#include <string>

#include "base/parallel.h"
#include "kith/error.h"
#include "simd/matmul.h"

namespace kith {
namespace {

constexpr std::size_t kBlockRows = 2048;  // summed in float
constexpr std::size_t kColumns = 64;      // of x that a thread takes at once

void transpose(MatrixView<const float> from, MatrixView<float> to) {
  for (std::size_t i = 0; i < from.rows(); ++i) {
    for (std::size_t j = 0; j < from.cols(); ++j) to(j, i) = from(i, j);
  }
}

}  // namespace

Matrix<double> sum_of_products(MatrixView<const float> x, MatrixView<const float> y,
                               const Control& control) {
  if (x.rows() != y.rows()) {
    throw Error(ErrorCode::invalid_argument, "a sum of products of " + std::to_string(x.rows()) +
                                                 " and " + std::to_string(y.rows()) +
                                                 " rows, expected as many");
  }
  Matrix<double> sum(x.cols(), y.cols());
  for (std::size_t first = 0; first < x.rows(); first += kBlockRows) {
    const std::size_t count = std::min(kBlockRows, x.rows() - first);
    Matrix<float> turned_x(x.cols(), count), turned_y(y.cols(), count);
    transpose(x.slice(first, count), turned_x);
    transpose(y.slice(first, count), turned_y);
    parallel_for(control, (x.cols() + kColumns - 1) / kColumns, 1,
                 [&](std::size_t begin, std::size_t end, std::size_t) {
                   for (std::size_t piece = begin; piece < end; ++piece) {
                     const std::size_t column = piece * kColumns;
                     const std::size_t here = std::min(kColumns, x.cols() - column);
                     Matrix<float> product(here, y.cols());
                     simd::matmul(turned_x.view().slice(column, here), turned_y, product);
                     for (std::size_t i = 0; i < here; ++i) {
                       double* into = sum.row(column + i);
                       for (std::size_t j = 0; j < y.cols(); ++j) into[j] += product(i, j);
                     }
                   }
                 });
  }
  return sum;
}

}  // namespace kith
