// Starbucks: a short list of sizes, each a layer with a width, all of them trained in every step
// (Zhuang et al., 2024). The last size is the full model, whose answers the others imitate.
#pragma once

#include <cstdint>
#include <vector>

#include "learn/loss/embedded.h"
#include "learn/loss/similarity.h"

namespace kith::learn {

struct StarbucksSize {
  std::int64_t layer;  // counted from 1, the first block's output
  std::int64_t width;
};

// Throws kith::Error invalid_argument unless each size has at least the layer and width of the one
// before, not both the same, and the last is (layers, dim).
void expect_sizes(const std::vector<StarbucksSize>& sizes, std::int64_t layers, std::int64_t dim);

// The batch at one size: vectors of the size's layer, un-normalised and in full width.
struct StarbucksLayer {
  Embedded embedded;
  std::int64_t width;
};

struct StarbucksOptions {
  double temperature = 1;
  Similarity similarity = Similarity::dot;  // of raw leading components; cosine for such an index
  double alignment = 1;                     // the weight of the divergence; 0 leaves it out
};

// Retrieval: with M_k the scores of queries against all passages of the batch at size k,
//   sum over k of CE(M_k / t, own passage) + alignment sum over k < K of KL( softmax(M_K / t) ||
//   softmax(M_k / t) ), softmax over passages, means over queries. M_K gets no gradient from the
//   KL.
// Throws kith::Error invalid_argument on no layers, shapes that do not fit or differ between
// layers, widths that descend or do not end with the full one, a temperature that is not above 0
// and a negative alignment. Cost: K score matrices.
Tensor starbucks_retrieval(const std::vector<StarbucksLayer>& layers,
                           const StarbucksOptions& options = {});

// Pairs: with e_k the leading components at size k as unit vectors, and r_k un-normalised,
//   base(e_K) + sum over k < K of base(e_k) + alignment KL( softmax(r_K cut to width k) ||
//   softmax(r_k cut to width k) ), softmax over components, mean over texts, both sides learn.
// The default alignment is the authors' temperature, 0.3, which only multiplies, times their weight
// of 1. Throws as above.
Tensor starbucks_pairs(const std::vector<StarbucksLayer>& layers, const EmbeddingLoss& base,
                       double alignment = 0.3);

}  // namespace kith::learn
