// Codewords of a product code as a layer: of each part of a vector the nearest codeword, with
// gradients for both (S. Xiao et al., "Progressively optimized bi-granular document representation
// for scalable embedding based retrieval", WWW 2022).
//
//   p_k    = softmax over k of -|x_m - w_k|^2 / t     of part m and its codewords
//   choice = onehot(argmax p) - stop(p) + p           the straight-through estimate
//   out_m  = sum over k of choice_k w_k
//
// Values are those of Codebooks' decode(encode(x)). Backwards x learns through p; codewords learn
// through p and as what was chosen.
#pragma once

#include <ATen/core/Tensor.h>

#include "codec/codebooks.h"
#include "learn/nn/parameters.h"

namespace kith::learn {

// Copies share their codewords. quantise() and codebooks() are thread-safe.
class ProductCode {
 public:
  // Begins with these codewords; there must be some.
  explicit ProductCode(const Codebooks& codebooks);

  // Of [n, dim]. `temperature` t: 1 is the authors', whose scores are products over 1; where scores
  // are over t, vectors divided by sqrt(t) are theirs. Cost: n dim 2^bits products for each of
  // distances and p, n parts 2^bits numbers in memory.
  at::Tensor quantise(const at::Tensor& x, double temperature = 1) const;

  // "words": [parts, 2^bits, width], where narrower parts have zeros behind them.
  Parameters parameters() const;
  // The same codewords, which learn nothing.
  ProductCode constant() const;
  // As they are now.
  Codebooks codebooks() const;

  void to(const at::Device& device);

 private:
  at::Tensor split(const at::Tensor& x) const;     // [parts, n, width]
  at::Tensor join(const at::Tensor& parts) const;  // and back

  Codebooks shape_;  // without codewords
  at::Tensor words_;
  // Where parts are of two widths: components of each, `dim` for none; and where each component is.
  at::Tensor places_, back_;
};

}  // namespace kith::learn
