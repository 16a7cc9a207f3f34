// MaxSim of packed queries with documents, a tile of the product at a time: the vectors of queries
// lie in a vector register's lanes, those of a document come one after the other, and only the
// largest product so far is kept of each lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codec/token_rows.h"
#include "kith/matrix.h"
#include "kith/vector_sets.h"
#include "simd/matmul.h"

namespace kith {

// Sets packed into panels, one query's vectors behind the other's.
class PackedQueries {
 public:
  // Sets that were checked.
  explicit PackedQueries(const VectorSetsView& queries);

  std::size_t size() const { return ends_.size() - 1; }
  std::size_t dim() const { return dim_; }
  std::size_t panels() const { return panels_.rows(); }
  const float* panel(std::size_t p) const { return panels_.row(p); }
  // Query q has vectors [begin(q), begin(q + 1)) of all.
  std::size_t begin(std::size_t q) const { return ends_[q]; }

 private:
  std::size_t dim_;
  std::vector<std::size_t> ends_;
  Matrix<float> panels_;
};

// Scores one document after the other; one a thread.
class MaxSimScorer {
 public:
  explicit MaxSimScorer(const PackedQueries& queries);

  // out[q] is the MaxSim of query q with rows [first, first + count) of the tokens, count > 0.
  void score(const TokenRows& tokens, std::size_t first, std::size_t count, float* out);

 private:
  void stage(const TokenRows& tokens, std::size_t first, std::size_t count);

  const PackedQueries& queries_;
  const simd::MatmulKernels& kernels_ = simd::matmul_kernels();
  Matrix<float> staged_, rows_, best_;
};

// Throws invalid_argument unless each set has vectors, offsets ascend and end within them, and all
// components are finite: "query set 3 is empty". `what` is "base" or "query".
void check_sets(const char* what, const VectorSetsView& sets, const Control& control);

}  // namespace kith
