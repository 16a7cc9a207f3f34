// What one query's exact search still considers possible. Fast kernels give each row's distance
// with an error bound: an interval. Rows whose interval lies beyond the k-th smallest upper end
// cannot be among the k nearest and are dropped; the rest are scored in double precision and sorted
// by (distance, id). So the answer is exact, and the same for every kernel and order of rows.
//
// Intervals live in "estimate space", in which kernels need no division by the query's norm:
// l2: the distance; ip: distance / |q|; cosine: distance - 1.
#pragma once

#include <cstddef>
#include <vector>

#include "base/topk.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

// A query as floats, scored against stored rows in double precision. Keeps references.
class PreciseQuery {
 public:
  PreciseQuery(const AnyMatrixView& rows, Metric metric, const float* query);

  // The distance as exact search reports it. `scratch` has room for dim floats.
  float distance(Id id, float* scratch) const;
  void prefetch(Id id) const;
  // An upper bound in estimate space of everything that rounds to `distance` or less.
  float to_estimate(float distance) const;

  const float* values() const { return query_; }
  double norm() const { return norm_; }
  // Under ip and cosine: the norm is so small or large that float estimates would underflow or
  // overflow. They mean nothing then, and every row stays possible.
  bool is_wild() const { return wild_; }

 private:
  const AnyMatrixView& rows_;
  Metric metric_;
  const float* query_;
  double norm_;
  bool wild_;
};

// A worker's memory for scoring and shrinking.
struct CandidateScratch {
  explicit CandidateScratch(std::size_t dim) : row(dim) {}
  std::vector<float> row, uppers;
};

// Float arithmetic on rows with norms in this range neither overflows nor underflows harmfully.
inline constexpr float kSmallestTameNorm = 0x1p-60f, kLargestTameNorm = 0x1p60f;

class CandidateSet {
 public:
  static constexpr std::size_t kUnbounded = static_cast<std::size_t>(-1);

  // The k nearest.
  explicit CandidateSet(std::size_t k);
  // All within `radius`.
  CandidateSet(float radius, const PreciseQuery& query);

  // Rows whose lower end is above this need not be added.
  float threshold() const { return threshold_; }
  // True when shrink must be called before the next add.
  bool add(float lower, float upper, Id id) {
    pending_.push_back({lower, upper, id});
    return pending_.size() >= capacity_;
  }
  // Drops what is beyond the threshold, scores the rest when they are many, lowers the threshold.
  void shrink(const PreciseQuery& query, CandidateScratch& scratch);
  // Takes over another set's candidates (of the same query, other rows).
  void absorb(CandidateSet&& other);
  // The answer, nearest first. Leaves the set empty.
  std::vector<Hit> finish(const PreciseQuery& query, CandidateScratch& scratch);

  // Bytes that a set for k neighbours uses.
  static std::size_t bytes(std::size_t k);

 private:
  struct Candidate {
    float lower, upper;
    Id id;
  };

  static std::size_t spare(std::size_t k);
  void drop_impossible(CandidateScratch& scratch);
  void score_pending(const PreciseQuery& query, CandidateScratch& scratch);

  std::size_t k_, capacity_;
  float radius_, threshold_;
  std::vector<Candidate> pending_;
  TopK best_;
};

}  // namespace kith
