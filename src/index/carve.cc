#include <cmath>
#include <string>
#include <vector>

#include "index/maxsim.h"
#include "kith/error.h"
#include "kith/maxsim.h"
#include "simd/kernels.h"

namespace kith {
namespace {

// The groups of a set, each in place of its first vector; returns how many.
std::size_t carve_set(Matrix<float>& rows, std::size_t count, float threshold) {
  const simd::ManyFn dot = simd::float_query_kernels(ElementType::f32, simd::Op::dot).many;
  const std::size_t dim = rows.cols();
  std::vector<float> products(count), centre(dim);
  std::vector<bool> taken(count);
  std::size_t groups = 0;
  for (std::size_t first = 0; first < count; ++first) {
    if (taken[first]) continue;
    std::copy_n(rows.row(first), dim, centre.data());
    dot(centre.data(), rows.row(first), rows.stride_bytes(), count - first, dim, products.data());
    // Group g's sum takes row g's place, which was taken before.
    float* const sum = rows.row(groups++);
    std::copy_n(centre.data(), dim, sum);
    for (std::size_t other = first + 1; other < count; ++other) {
      if (taken[other] || !(products[other - first] >= threshold)) continue;
      taken[other] = true;
      for (std::size_t j = 0; j < dim; ++j) sum[j] += rows(other, j);
    }
  }
  return groups;
}

}  // namespace

VectorSetRows carve(const VectorSetsView& queries, float threshold) {
  if (std::isnan(threshold)) {
    throw Error(ErrorCode::invalid_argument, "carve: threshold nan, expected a number");
  }
  check_sets("query", queries, {});
  VectorSetRows result;
  Matrix<float> all(queries.total(), queries.dim());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const AnyMatrixView set = queries.set(i);
    Matrix<float> rows(set.rows(), set.dim());
    for (std::size_t j = 0; j < set.rows(); ++j) set.copy_row(j, rows.row(j));
    const std::size_t groups = carve_set(rows, set.rows(), threshold);
    for (std::size_t j = 0; j < groups; ++j) {
      std::copy_n(rows.row(j), set.dim(), all.row(result.offsets.back() + j));
    }
    result.offsets.push_back(result.offsets.back() + groups);
  }
  result.vectors = Matrix<float>(result.offsets.back(), queries.dim());
  for (std::size_t i = 0; i < result.vectors.rows(); ++i) {
    std::copy_n(all.row(i), queries.dim(), result.vectors.row(i));
  }
  return result;
}

}  // namespace kith
