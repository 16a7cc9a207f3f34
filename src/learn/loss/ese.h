// Espresso sentence embeddings, the later version of 2D Matryoshka: all layers in every step, and
// leading components that hold what a principal component analysis would keep (Li et al., 2025).
#pragma once

#include <cstdint>
#include <vector>

#include "learn/loss/embedded.h"

namespace kith::learn {

struct EseOptions {
  std::int64_t compressed = 128;  // the leading components that hold the most; the authors'
  double compression = 1;         // the weight of that objective; 0 leaves it out
};

// With e(X) = base(X as unit vectors) + compression c(X) over layers 1 .. N:
//   e(X_N) + 1 / (N - 1) sum over n < N of e(X_n) / (1 + ln n),
//   c(X) = mean square of (X_k - T) + KL( softmax(T) || softmax(X_k) ), softmax over components,
//   means over texts, where X_k are the leading components and T = ese_target(X, k) has no
//   gradient.
// Vectors come un-normalised. That c has its layer's weight and looks at every layer is our
// reading. Throws kith::Error invalid_argument on no layers, shapes that do not fit or differ
// between layers, compressed outside 1 .. D and a negative weight. Cost: a singular value
// decomposition of D x D a layer, about D^3 operations each.
Tensor ese(const std::vector<Embedded>& layers, const EmbeddingLoss& base,
           const EseOptions& options = {});

// X U_k S_k, [M, k], for X of [M, D]: U_k, S_k are the first k left singular vectors and values of
// softmax(X' X / sqrt(D)), softmax along a row. A singular vector's sign is free: it is the one for
// which a column goes the way of X's. Without a gradient.
Tensor ese_target(const Tensor& texts, std::int64_t compressed);

}  // namespace kith::learn
