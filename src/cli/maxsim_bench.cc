#include "cli/maxsim_bench.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "codec/token_store.h"
#include "index/maxsim.h"
#include "kith/matrix.h"

namespace kith::cli {
namespace {

constexpr std::size_t kQueryVectors = 32, kDocumentVectors = 80;  // as of ColBERT on MS MARCO
constexpr std::size_t kBatch = 16;
constexpr std::size_t kPlainDocuments = 20;
constexpr int kRounds = 3;

Matrix<float> normal_rows(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  Matrix<float> matrix(rows, dim);
  Random random(seed);
  const double scale = 1 / std::sqrt(static_cast<double>(dim));
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < dim; ++j) {
      matrix(i, j) = static_cast<float>(scale * random.normal());
    }
  }
  return matrix;
}

// What one writes who doesn't think of the processor.
float plain_maxsim(const Matrix<float>& query, const Matrix<float>& rows, std::size_t first) {
  float sum = 0;
  for (std::size_t i = 0; i < kQueryVectors; ++i) {
    float best = -std::numeric_limits<float>::infinity();
    for (std::size_t j = 0; j < kDocumentVectors; ++j) {
      float product = 0;
      for (std::size_t k = 0; k < rows.cols(); ++k) product += query(i, k) * rows(first + j, k);
      best = std::max(best, product);
    }
    sum += best;
  }
  return sum;
}

double flops(std::size_t documents, std::size_t queries, std::size_t dim) {
  return 2.0 * static_cast<double>(documents * kDocumentVectors) *
         static_cast<double>(queries * kQueryVectors) * static_cast<double>(dim);
}

double time_plain(const Matrix<float>& queries, const Matrix<float>& rows, double seconds) {
  volatile float sum = 0;
  const double taken = seconds_per_run(
      [&] {
        for (std::size_t i = 0; i < kPlainDocuments; ++i) {
          sum = sum + plain_maxsim(queries, rows, i * kDocumentVectors);
        }
      },
      seconds, kRounds);
  return flops(kPlainDocuments, 1, rows.cols()) / taken;
}

double time_scorer(const Matrix<float>& queries, std::size_t count, const TokenRows& tokens,
                   std::size_t documents, double seconds) {
  std::vector<std::uint64_t> offsets;
  for (std::size_t q = 0; q <= count; ++q) offsets.push_back(q * kQueryVectors);
  const PackedQueries packed(VectorSetsView{offsets, queries});
  MaxSimScorer scorer(packed);
  std::vector<float> scores(count);
  const double taken = seconds_per_run(
      [&] {
        for (std::size_t i = 0; i < documents; ++i) {
          scorer.score(tokens, i * kDocumentVectors, kDocumentVectors, scores.data());
        }
      },
      seconds, kRounds);
  return flops(documents, count, queries.cols()) / taken;
}

}  // namespace

std::vector<MaxSimTime> time_maxsim(std::size_t dim, std::size_t bytes, const MachinePeaks& peaks,
                                    double seconds) {
  const std::size_t documents =
      std::max(bytes / (dim * sizeof(float)) / kDocumentVectors, kPlainDocuments);
  const Matrix<float> rows = normal_rows(documents * kDocumentVectors, dim, 1);
  const Matrix<float> queries = normal_rows(kBatch * kQueryVectors, dim, 2);
  const double plain = time_plain(queries, rows, seconds);
  std::vector<MaxSimTime> times;
  for (const char* codec : {"f32", "f16", "lvq8", "lvq4", "residual4", "residual2"}) {
    TokenStoreOptions options;
    options.codec = codec;
    options.centroids = 256;  // to be quickly made; how many there are makes no difference here
    const auto tokens = TokenStore::build(rows, options);
    for (const std::size_t count : {std::size_t{1}, kBatch}) {
      times.push_back({codec, count, time_scorer(queries, count, *tokens, documents, seconds),
                       2 * peaks.fma, plain});
    }
  }
  return times;
}

}  // namespace kith::cli
