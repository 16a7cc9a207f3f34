#include "index/maxsim.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/topk.h"
#include "index/checks.h"
#include "index/implementation.h"
#include "kith/error.h"
#include "kith/maxsim.h"

namespace kith {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

constexpr float kMostNorm = 1e15f;

// Queries that are scored together: their panels stay in a core's second-level cache while
// documents pass by.
constexpr std::size_t kBlockBytes = 256 << 10;

std::size_t queries_in_block(const VectorSetsView& queries, std::size_t first) {
  const std::size_t most = std::max<std::size_t>(1, kBlockBytes / (queries.dim() * sizeof(float)));
  std::size_t last = first + 1;
  while (last < queries.size() && queries.offsets[last + 1] - queries.offsets[first] <= most) {
    ++last;
  }
  return last - first;
}

// The best of each worker for each query of a block.
using Best = std::vector<std::vector<TopK>>;

void put_block(Best& best, std::size_t first, std::size_t k, Neighbours& result) {
  for (std::size_t q = 0; q < best.front().size(); ++q) {
    TopK all(k);
    for (const std::vector<TopK>& worker : best) {
      for (const Hit& hit : worker[q].hits()) all.push(hit);
    }
    put_hits(all.take_sorted(), first + q, result);
  }
}

}  // namespace

PackedQueries::PackedQueries(const VectorSetsView& queries) : dim_(queries.dim()) {
  const std::uint64_t start = queries.offsets.front();
  for (const std::uint64_t offset : queries.offsets) ends_.push_back(offset - start);
  const simd::MatmulKernels& kernels = simd::matmul_kernels();
  const std::size_t width = kernels.b_rows, total = ends_.back();
  panels_ = Matrix<float>((total + width - 1) / width, width * dim_);
  Matrix<float> rows(width, dim_);
  for (std::size_t p = 0; p < panels_.rows(); ++p) {
    const std::size_t count = std::min(width, total - p * width);
    for (std::size_t i = 0; i < count; ++i) {
      queries.vectors.copy_row(start + p * width + i, rows.row(i));
    }
    kernels.pack_b(rows.data(), rows.stride_bytes() / sizeof(float), count, dim_, panels_.row(p));
  }
}

MaxSimScorer::MaxSimScorer(const PackedQueries& queries)
    : queries_(queries),
      staged_(1, kernels_.staged_floats(queries.dim())),
      best_(queries.panels(), kernels_.b_rows) {
  if (queries.dim() > simd::kStagedDims) rows_ = Matrix<float>(kernels_.a_rows, queries.dim());
}

void MaxSimScorer::stage(const TokenRows& tokens, std::size_t first, std::size_t count) {
  if (rows_.rows() == 0) return tokens.load(first, count, staged_.data(), simd::kStagedStride);
  tokens.load(first, count, rows_.data(), rows_.stride_bytes() / sizeof(float));
  const std::size_t dim = queries_.dim();
  float* piece = staged_.data();
  for (std::size_t k = 0; k < dim; k += simd::kStagedDims, piece += kernels_.staged_piece()) {
    const std::size_t dims = std::min(simd::kStagedDims, dim - k);
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(piece + i * simd::kStagedStride, rows_.row(i) + k, dims * sizeof(float));
    }
  }
}

void MaxSimScorer::score(const TokenRows& tokens, std::size_t first, std::size_t count,
                         float* out) {
  const std::size_t width = kernels_.b_rows, height = kernels_.height(count);
  for (std::size_t p = 0; p < queries_.panels(); ++p) {
    std::fill_n(best_.row(p), width, -std::numeric_limits<float>::infinity());
  }
  for (std::size_t done = 0; done < count; done += height) {
    const std::size_t rows = std::min(height, count - done);
    stage(tokens, first + done, rows);
    for (std::size_t p = 0; p < queries_.panels(); ++p) {
      kernels_.low_max[rows](staged_.data(), queries_.panel(p), queries_.dim(), best_.row(p));
    }
  }
  for (std::size_t q = 0; q < queries_.size(); ++q) {
    double sum = 0;
    for (std::size_t t = queries_.begin(q); t < queries_.begin(q + 1); ++t) {
      sum += best_(t / width, t % width);
    }
    out[q] = static_cast<float>(sum);
  }
}

void check_sets(const char* what, const VectorSetsView& sets, const Control& control) {
  const std::string name = what;
  if (sets.size() == 0) refuse("the " + name + " is empty: expected at least one set of vectors");
  if (sets.dim() == 0 || sets.dim() > kMaxDim) {
    refuse("the " + name + " has " + std::to_string(sets.dim()) + " dimensions, expected 1 to " +
           std::to_string(kMaxDim));
  }
  if (sets.size() > kMaxVectors || sets.vectors.rows() > kMaxVectors) {
    refuse("the " + name + " has " + std::to_string(sets.size()) + " sets of " +
           std::to_string(sets.vectors.rows()) + " vectors, at most " +
           std::to_string(kMaxVectors) + " are held");
  }
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const std::uint64_t begin = sets.offsets[i], end = sets.offsets[i + 1];
    if (begin < end && end <= sets.vectors.rows()) continue;
    const std::string set = name + " set " + std::to_string(i);
    if (begin == end) refuse(set + " is empty, expected a vector");
    refuse(set + " would be vectors " + std::to_string(begin) + " to " + std::to_string(end) +
           " of " + std::to_string(sets.vectors.rows()) + ", expected offsets that ascend");
  }
  const std::vector<float> norms = checked_norms(
      what, sets.vectors.slice(sets.offsets.front(), sets.total()), Metric::ip, control);
  for (std::size_t i = 0; i < norms.size(); ++i) {
    if (norms[i] <= kMostNorm) continue;
    refuse(name + " row " + std::to_string(sets.offsets.front() + i) + ": length " +
           std::to_string(norms[i]) + ", expected at most 1e15, for products to stay finite");
  }
}

float maxsim(const AnyMatrixView& query, const AnyMatrixView& document) {
  if (query.rows() == 0 || document.rows() == 0) {
    refuse("maxsim: " + std::to_string(query.rows()) + " query vectors and " +
           std::to_string(document.rows()) + " of the document, expected at least one each");
  }
  check_same_dim(query, document.dim(), "document");
  const std::uint64_t offsets[] = {0, query.rows()};
  const PackedQueries packed(VectorSetsView{offsets, query});
  float result = 0;
  MaxSimScorer(packed).score(ViewedTokens(document), 0, document.rows(), &result);
  return result;
}

Neighbours exact_maxsim(const VectorSetsView& base, const VectorSetsView& queries,
                        const MaxSimOptions& options) {
  constexpr std::size_t kGrain = 16;  // documents that a thread takes at a time
  check_k(options.k);
  check_sets("base", base, options.control);
  if (queries.size() == 0) return Neighbours(0, options.k);
  check_sets("query", queries, options.control);
  check_same_dim(queries.vectors, base.dim(), "base");
  Neighbours result(queries.size(), options.k);
  const ViewedTokens tokens(base.vectors);
  const Control quiet = without_progress(options.control);
  Progress progress(options.control, "maxsim", queries.size());
  for (std::size_t first = 0; first < queries.size();) {
    const std::size_t count = queries_in_block(queries, first);
    const PackedQueries packed(queries.slice(first, count));
    const std::size_t threads = thread_count(quiet);
    std::vector<std::unique_ptr<MaxSimScorer>> scorers(threads);
    Best best(threads, std::vector<TopK>(count, TopK(options.k)));
    parallel_for(quiet, base.size(), kGrain,
                 [&](std::size_t begin, std::size_t end, std::size_t worker) {
                   auto& scorer = scorers[worker];
                   if (!scorer) scorer = std::make_unique<MaxSimScorer>(packed);
                   std::vector<float> scores(count);
                   for (std::size_t i = begin; i < end; ++i) {
                     scorer->score(tokens, base.offsets[i], base.length(i), scores.data());
                     for (std::size_t q = 0; q < count; ++q) {
                       best[worker][q].push(-scores[q], static_cast<Id>(i));
                     }
                   }
                 });
    put_block(best, first, options.k, result);
    progress.add(count);
    first += count;
  }
  return result;
}

}  // namespace kith
