// MaxSim with gradients (Khattab and Zaharia, "ColBERT", 2020): each vector of a query finds its
// largest inner product with a vector of the document, and these are added up.
#pragma once

#include <cstdint>
#include <vector>

#include "learn/loss/info_nce.h"
#include "learn/tensor.h"

namespace kith::learn {

// Set s is rows [begin[s], begin[s + 1]) of `vectors`, [N, d]; there is no padding.
struct TokenSets {
  Tensor vectors = {};
  std::vector<std::int64_t> begin = {0};

  std::int64_t size() const { return static_cast<std::int64_t>(begin.size()) - 1; }
  TokenSets slice(std::int64_t first, std::int64_t count) const;
};

// All queries with all documents: [queries, documents]. Of equal products the first gets the
// gradient. Throws kith::Error invalid_argument for no sets, an empty one, or dimensions that
// differ. Cost: a product of all vectors with all vectors, of which only a document's best is kept,
// so that memory is vectors of queries times documents; backward twice the products.
Tensor maxsim_scores(const TokenSets& queries, const TokenSets& documents);

// Each query with its own `each` documents: [queries, each]; those of query i begin at i * each.
Tensor own_maxsim_scores(const TokenSets& queries, const TokenSets& documents);

// A batch of sets, as Embedded is one of vectors; without negatives, if `negatives` has no sets.
struct EmbeddedSets {
  TokenSets queries, positives, negatives;  // k negatives a query, row by row
};

// As candidate_scores of Embedded, in the same order: MaxSim divided by the number of the query's
// vectors, so that it is at most 1 as a cosine is, and temperatures and margins mean what they do
// there. Ranks are the same.
Tensor candidate_scores(const EmbeddedSets& batch, const InfoNceOptions& options = {});

}  // namespace kith::learn
