// The binariser (codec/binariser.h) as it is trained: blocks with batch normalisation, and signs
// through which gradients go straight where |x| <= 1.
//
//   W(x) = S x + c + B max(0, N(A x)),   N(h) = (h - mean) / sqrt(variance + 1e-5) * gamma + beta
//
// S starts with random directions, orthogonal as far as there are as many, and B with zeros: the
// first codes are random signs, which are hard to better on vectors that spread over all directions
// alike. Without S (as the paper has it) A and B start at random.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "codec/binariser.h"
#include "learn/nn/parameters.h"

namespace kith::learn {

struct BinariserShape {
  std::size_t dim = 0, dims = 256;  // of vectors, of codes
  int bits = 2;
  std::size_t hidden = 0;  // of a block; 0: dim
  bool skip = true;        // S
};

class BinariserNetwork {
 public:
  BinariserNetwork(const BinariserShape& shape, std::uint64_t seed);

  Parameters parameters() const { return parameters_; }
  // b_u of [n, dim], with the batch's own means and variances: [n, dims].
  at::Tensor codes(const at::Tensor& x) const;
  // With those of `sample` folded into the weights: what the engine runs.
  Binariser folded(const at::Tensor& sample) const;

 private:
  struct Block {
    at::Tensor skip, bias, hidden, gamma, beta, out;
  };
  Block make_block(std::size_t inputs, std::size_t outputs, const Matrix<float>& directions,
                   const std::string& name, std::uint64_t seed);
  at::Tensor apply(const Block& block, const at::Tensor& x) const;
  BinariserBlock fold(const Block& block, const at::Tensor& x) const;
  // Calls run(block, its input) for each block in turn, which returns its output; returns b_u.
  template <class Run>
  at::Tensor go(const at::Tensor& x, const Run& run) const;

  BinariserShape shape_;
  std::vector<Block> binarise_, reconstruct_;
  Parameters parameters_;
};

// 1 where x >= 0, else -1; its gradient is that of x where |x| <= 1, else 0.
at::Tensor straight_sign(const at::Tensor& x);

}  // namespace kith::learn
