// Candidates by centroids alone (Santhanam, Khattab, Potts and Zaharia, "PLAID: An Efficient Engine
// for Late Interaction Retrieval", 2022), over vectors stored by residual codes: a vector is taken
// for its centroid, so that a query's products with all centroids, computed once, score any set by
// looking them up. What MUVERA is compared with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codec/token_store.h"
#include "kith/control.h"
#include "kith/neighbours.h"
#include "kith/vector_sets.h"

namespace kith {

// Defaults are the paper's for k = 10 (table 2; for 100: 2, 0.45, 1024; for 1,000: 4, 0.4, 4096).
struct PlaidOptions {
  std::size_t probes = 1;        // nearest centroids of each query vector whose sets are looked at
  float threshold = 0.5f;        // centroids below it for all query vectors are left out at first
  std::size_t candidates = 256;  // sets left by pruned scores; of them a quarter by whole ones
  Control control = {};
};

class Plaid {
 public:
  // Set i has vectors [offsets[i], offsets[i + 1]) of the tokens, which must outlive this. Throws
  // invalid_argument unless they are stored by residual codes.
  Plaid(const TokenStore& tokens, std::span<const std::uint64_t> offsets);

  // Stages 1 to 4: the k sets with the largest MaxSim, of those that the stages before leave; ties
  // by id. Distances are negated MaxSim. Queries are checked as exact_maxsim does.
  Neighbours search(const VectorSetsView& queries, std::size_t k,
                    const PlaidOptions& options = {}) const;

  // Stages 1 to 3 alone, best first; `distances` are negated scores by centroids.
  RangeNeighbours candidates(const VectorSetsView& queries, const PlaidOptions& options = {}) const;

 private:
  class Query;

  const TokenStore& tokens_;
  const Residual& residual_;
  std::vector<std::uint64_t> offsets_;
  // The sets that have a vector of centroid c: lists_[starts_[c], starts_[c + 1]), ascending.
  std::vector<std::uint64_t> starts_;
  std::vector<Id> lists_;
};

}  // namespace kith
