#include "index/checks.h"

#include <cmath>
#include <string>

#include "base/parallel.h"
#include "kith/error.h"
#include "simd/kernels.h"
#include "simd/precise.h"

namespace kith {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

[[noreturn]] void refuse_component(const char* what, std::size_t row, const float* x) {
  std::size_t column = 0;
  while (std::isfinite(x[column])) ++column;
  refuse(std::string(what) + " row " + std::to_string(row) + ", column " + std::to_string(column) +
         ": " + std::to_string(x[column]) + ", expected a finite number");
}

}  // namespace

void check_same_dim(const AnyMatrixView& queries, std::size_t dim, const char* owner) {
  if (queries.rows() == 0 || queries.dim() == dim) return;
  refuse("queries: " + std::to_string(queries.dim()) + " dimensions, but the " + owner + " has " +
         std::to_string(dim));
}

void check_stored_rows(const AnyMatrixView& rows) {
  if (rows.rows() == 0) refuse("the base is empty: expected at least one vector");
  if (rows.dim() == 0 || rows.dim() > kMaxDim) {
    refuse("the base has " + std::to_string(rows.dim()) + " dimensions, expected 1 to " +
           std::to_string(kMaxDim));
  }
  if (rows.rows() > kMaxVectors) {
    refuse(std::to_string(rows.rows()) + " vectors, an index holds at most " +
           std::to_string(kMaxVectors));
  }
}

void check_k(std::size_t k) {
  if (k == 0 || k > kMaxVectors) {
    refuse("k = " + std::to_string(k) + ": expected 1 to " + std::to_string(kMaxVectors));
  }
}

std::vector<float> checked_norms(const char* what, const AnyMatrixView& rows, Metric metric,
                                 const Control& control) {
  std::vector<float> norms(rows.rows());
  const auto dot = simd::precise_kernels().dot;
  parallel_for(control, rows.rows(), 256, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<float> x(rows.dim());
    for (std::size_t i = begin; i < end; ++i) {
      simd::to_float(rows.type(), rows.row(i), x.size(), x.data());
      // Squares of floats cannot overflow in double: the sum is finite when all components are.
      const double squared = dot(x.data(), x.data(), x.size());
      if (!std::isfinite(squared)) refuse_component(what, i, x.data());
      if (squared == 0 && metric == Metric::cosine) {
        refuse(std::string(what) + " row " + std::to_string(i) +
               ": a zero vector, but cosine needs a direction");
      }
      norms[i] = static_cast<float>(std::sqrt(squared));
    }
  });
  return norms;
}

}  // namespace kith
