#include "cli/dense_bench.h"

#include <algorithm>

#include "base/random.h"
#include "cli/precision_option.h"
#include "kith/matrix.h"
#include "simd/dense.h"

namespace kith::cli {
namespace {

constexpr int kRounds = 3;
constexpr std::size_t kTokens = 384;  // what an encoder runs together

// Queries, keys and values; what follows attention; both feed-forward layers: of 384 and of 768
// dimensions.
constexpr std::pair<std::size_t, std::size_t> kShapes[] = {{384, 1152}, {384, 384},  {384, 1536},
                                                           {1536, 384}, {768, 2304}, {768, 768},
                                                           {768, 3072}, {3072, 768}};

Matrix<float> random_rows(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  Matrix<float> matrix(rows, cols);
  Random random(seed);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      matrix(i, j) = static_cast<float>(random.uniform() - 0.5);
    }
  }
  return matrix;
}

// Multiply-adds a second at best.
double peak_of(const MachinePeaks& peaks, Precision precision) {
  if (precision == Precision::f32) return peaks.fma;
  const bool bytes = precision == Precision::int8;
  return std::max(
      {peaks.fma, bytes ? peaks.vnni : peaks.bf16, bytes ? peaks.amx_int8 : peaks.amx_bf16});
}

}  // namespace

std::vector<DenseTime> time_dense(const MachinePeaks& peaks, double seconds) {
  WorkerTeam alone({.threads = 1, .cancel = nullptr, .progress = {}});
  std::vector<DenseTime> times;
  for (const auto& [inputs, outputs] : kShapes) {
    const Matrix<float> x = random_rows(kTokens, inputs, 1);
    const Matrix<float> rows = random_rows(outputs, inputs, 2);
    Matrix<float> y(kTokens, outputs);
    const double operations = 2.0 * static_cast<double>(kTokens * inputs * outputs);
    for (const Precision precision : kPrecisions) {
      const simd::PackedWeights weights(rows, nullptr, precision);
      simd::DenseScratch scratch;
      const double run =
          seconds_per_run([&] { simd::dense(alone, x, weights, y, scratch); }, seconds, kRounds);
      times.push_back(
          {precision, inputs, outputs, kTokens, operations / run, 2 * peak_of(peaks, precision)});
    }
  }
  return times;
}

}  // namespace kith::cli
