// Why two vectors of named dimensions are near: what each dimension adds to their inner product.
// Such vectors come from a model that was trained with [model.concepts] (docs/training.md); their
// components are never negative. Part of libkith-encode.
//
//   const kith::Explanation why = kith::explain({query, dim}, {hit, dim});
//   for (const auto& each : why.shared) std::puts(model.concepts()[each.dimension].c_str());
//
// It lists what the model goes by, which correlates with what people called the texts; it is no
// proof that a text is about a concept, nor a cause.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace kith {

struct Contribution {
  std::size_t dimension = 0;
  double value = 0;  // query[dimension] * hit[dimension]
  double share = 0;  // of the inner product; of what is missing, of the query's square
};

struct Explanation {
  double inner_product = 0;  // the sum of all contributions
  // The dimensions that add most, the first the most; only those above 0.
  std::vector<Contribution> shared;
  // The query's strongest ones that the hit lacks: at unit length the hit has there less than a
  // tenth of what the query has. `value` is the query's square.
  std::vector<Contribution> missing;
};

// At most `most` of each. Throws invalid_argument for vectors of different lengths.
Explanation explain(std::span<const float> query, std::span<const float> hit, std::size_t most = 5);

}  // namespace kith
