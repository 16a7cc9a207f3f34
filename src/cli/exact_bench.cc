#include "cli/exact_bench.h"

#include <algorithm>

#include "index/flat_search.h"
#include "kith/matrix.h"
#include "simd/matmul.h"

namespace kith::cli {
namespace {

constexpr std::size_t kK = 10;
constexpr std::size_t kBatch = 1000;
constexpr std::size_t kProductRows = 2048;  // packed, they and the result stay near the caches
constexpr int kRounds = 3;

// Uniform in [-1, 1): as hard to search exactly as any, and quick to draw.
Matrix<float> uniform_rows(std::size_t rows, std::size_t dim, std::uint32_t state) {
  Matrix<float> matrix(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < dim; ++j) {
      state = state * 1664525u + 1013904223u;
      matrix(i, j) = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
    }
  }
  return matrix;
}

double flops(std::size_t rows, std::size_t queries, std::size_t dim) {
  return 2.0 * static_cast<double>(rows) * static_cast<double>(queries) * static_cast<double>(dim);
}

}  // namespace

std::vector<ExactTime> time_exact(std::size_t dim, std::size_t bytes, const MachinePeaks& peaks,
                                  double seconds) {
  const std::size_t rows = std::max<std::size_t>(bytes / (dim * sizeof(float)), kProductRows);
  const Matrix<float> base = uniform_rows(rows, dim, 1);
  const Matrix<float> queries = uniform_rows(kBatch, dim, 2);
  const MatrixView<const float> all_queries(queries);
  Control control;
  control.threads = 1;
  const FlatSearch flat(base, Metric::l2, {}, control);

  std::vector<ExactTime> times;
  std::size_t next = 0;
  const double one = seconds_per_run(
      [&] { flat.search(all_queries.slice(next++ % kBatch, 1), kK, control); }, seconds, kRounds);
  times.push_back({"one query", rows, static_cast<double>(rows * dim * sizeof(float)) / one,
                   peaks.stream, "stream"});
  const double batch =
      seconds_per_run([&] { flat.search(all_queries, kK, control); }, seconds, kRounds);
  times.push_back({"batch of 1,000", rows, flops(rows, kBatch, dim) / batch, 2 * peaks.fma, "fma"});
  const MatrixView<const float> part = MatrixView<const float>(base).slice(0, kProductRows);
  Matrix<float> products(kBatch, kProductRows);
  const double product =
      seconds_per_run([&] { simd::matmul(all_queries, part, products); }, seconds, kRounds);
  times.push_back(
      {"product", kProductRows, flops(kProductRows, kBatch, dim) / product, 2 * peaks.fma, "fma"});
  return times;
}

}  // namespace kith::cli
