#include "index/plaid.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>

#include "base/parallel.h"
#include "base/progress.h"
#include "base/topk.h"
#include "index/checks.h"
#include "index/implementation.h"
#include "index/maxsim.h"
#include "kith/error.h"
#include "simd/matmul.h"

namespace kith {
namespace {

const Residual& residual_of(const TokenStore& tokens) {
  if (tokens.residual() == nullptr) {
    throw Error(ErrorCode::invalid_argument,
                "plaid: vectors are stored as " + tokens.codec() +
                    ", expected centroids and residuals: residual4 or residual2");
  }
  return *tokens.residual();
}

}  // namespace

Plaid::Plaid(const TokenStore& tokens, std::span<const std::uint64_t> offsets)
    : tokens_(tokens), residual_(residual_of(tokens)), offsets_(offsets.begin(), offsets.end()) {
  const std::size_t centroids = residual_.centroids().rows();
  std::vector<std::vector<Id>> lists(centroids);
  for (std::size_t i = 0; i + 1 < offsets_.size(); ++i) {
    for (std::uint64_t t = offsets_[i]; t < offsets_[i + 1]; ++t) {
      std::vector<Id>& list = lists[residual_.centroid_of(t)];
      if (list.empty() || list.back() != i) list.push_back(static_cast<Id>(i));
    }
  }
  starts_.push_back(0);
  for (const std::vector<Id>& list : lists) {
    lists_.insert(lists_.end(), list.begin(), list.end());
    starts_.push_back(lists_.size());
  }
}

// One query's products with all centroids.
class Plaid::Query {
 public:
  Query(const Plaid& plaid, const AnyMatrixView& set, float threshold)
      : plaid_(plaid),
        vectors_(set.rows(), set.dim()),
        scores_(plaid.residual_.centroids().rows(), set.rows()),
        kept_(scores_.rows()),
        best_(set.rows()) {
    for (std::size_t i = 0; i < set.rows(); ++i) set.copy_row(i, vectors_.row(i));
    simd::matmul(plaid.residual_.centroids(), vectors_, scores_);
    for (std::size_t c = 0; c < scores_.rows(); ++c) {
      const float* row = scores_.row(c);
      kept_[c] = *std::max_element(row, row + scores_.cols()) >= threshold;
    }
  }

  // Stage 1: the sets in the lists of the nearest centroids of each vector, ascending.
  std::vector<Id> probe(std::size_t probes) const {
    std::vector<bool> probed(scores_.rows());
    for (std::size_t i = 0; i < scores_.cols(); ++i) {
      TopK nearest(probes);
      for (std::size_t c = 0; c < scores_.rows(); ++c) {
        nearest.push(-scores_(c, i), static_cast<Id>(c));
      }
      for (const Hit& hit : nearest.hits()) probed[hit.id] = true;
    }
    std::vector<Id> sets;
    for (std::size_t c = 0; c < probed.size(); ++c) {
      if (!probed[c]) continue;
      sets.insert(sets.end(),
                  plaid_.lists_.begin() + static_cast<std::ptrdiff_t>(plaid_.starts_[c]),
                  plaid_.lists_.begin() + static_cast<std::ptrdiff_t>(plaid_.starts_[c + 1]));
    }
    std::sort(sets.begin(), sets.end());
    sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
    return sets;
  }

  // Stages 2 and 3: the `count` sets that score best by the centroids of their vectors, nearest
  // first; `pruned`: by those of the centroids that reach the threshold.
  std::vector<Hit> best(std::span<const Id> sets, std::size_t count, bool pruned) {
    TopK best(count);
    for (const Id set : sets) best.push(-score(set, pruned), set);
    return best.take_sorted();
  }

 private:
  // A vector of the query that no centroid of the set is left for counts nothing.
  float score(Id set, bool pruned) {
    constexpr float kNone = -std::numeric_limits<float>::infinity();
    std::fill(best_.begin(), best_.end(), kNone);
    for (std::uint64_t t = plaid_.offsets_[set]; t < plaid_.offsets_[set + 1]; ++t) {
      const std::uint32_t centroid = plaid_.residual_.centroid_of(t);
      if (pruned && !kept_[centroid]) continue;
      const float* row = scores_.row(centroid);
      for (std::size_t i = 0; i < best_.size(); ++i) best_[i] = std::max(best_[i], row[i]);
    }
    double sum = 0;
    for (const float value : best_) sum += value == kNone ? 0 : value;
    return static_cast<float>(sum);
  }

  const Plaid& plaid_;
  Matrix<float> vectors_, scores_;
  std::vector<bool> kept_;
  std::vector<float> best_;
};

namespace {

std::vector<Id> ids_of(const std::vector<Hit>& hits) {
  std::vector<Id> ids;
  for (const Hit& hit : hits) ids.push_back(hit.id);
  return ids;
}

}  // namespace

RangeNeighbours Plaid::candidates(const VectorSetsView& queries,
                                  const PlaidOptions& options) const {
  constexpr std::size_t kShareLeft = 4;  // a quarter, as in the paper
  if (options.probes == 0 || options.candidates == 0) {
    throw Error(ErrorCode::invalid_argument,
                "plaid: " + std::to_string(options.probes) + " probes and " +
                    std::to_string(options.candidates) + " candidates, expected at least 1 each");
  }
  if (queries.size() == 0) return {};
  check_sets("query", queries, options.control);
  check_same_dim(queries.vectors, tokens_.dim(), "index");
  std::vector<std::vector<Hit>> hits(queries.size());
  parallel_for(
      options.control, queries.size(), 1, [&](std::size_t begin, std::size_t end, std::size_t) {
        for (std::size_t q = begin; q < end; ++q) {
          Query query(*this, queries.set(q), options.threshold);
          const std::vector<Id> probed = query.probe(options.probes);
          const auto pruned = ids_of(query.best(probed, options.candidates, true));
          const std::size_t left = std::max<std::size_t>(1, options.candidates / kShareLeft);
          hits[q] = query.best(pruned, left, false);
        }
      });
  return range_neighbours(hits);
}

Neighbours Plaid::search(const VectorSetsView& queries, std::size_t k,
                         const PlaidOptions& options) const {
  check_k(k);
  const RangeNeighbours found = candidates(queries, options);
  Neighbours result(queries.size(), k);
  parallel_for(
      options.control, queries.size(), 1, [&](std::size_t begin, std::size_t end, std::size_t) {
        for (std::size_t q = begin; q < end; ++q) {
          const PackedQueries packed(queries.slice(q, 1));
          MaxSimScorer scorer(packed);
          TopK best(k);
          for (std::size_t i = found.offsets[q]; i < found.offsets[q + 1]; ++i) {
            const Id set = found.ids[i];
            float score = 0;
            scorer.score(tokens_, offsets_[set], offsets_[set + 1] - offsets_[set], &score);
            best.push(-score, set);
          }
          put_hits(best.take_sorted(), q, result);
        }
      });
  return result;
}

}  // namespace kith
