// The network of a relevance adapter (kith/relevance.h) with gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "kith/relevance.h"
#include "learn/nn/blocks.h"
#include "learn/nn/parameters.h"

namespace kith::learn {

struct RelevanceNetworkOptions {
  RelevanceMapping mapping = RelevanceMapping::linear;
  bool free_slope = false;
  std::int64_t hidden = 256, layers = 2;  // of ReLUs; the authors' are 3,072 wide
};

class RelevanceNetwork {
 public:
  // A norm stands before each hidden layer. Weights start as PyTorch's dense layers do.
  RelevanceNetwork(std::int64_t dim, const RelevanceNetworkOptions& options, std::uint64_t seed);

  // From now on all queries have this curve, until training tells them apart. A slope of 0 or less
  // is taken as 1; the mapping `offset` has no other.
  void start_from(double slope, double offset);

  // Of queries [B, dim] of unit length and the cosines of their hits [B, k]: logits, [B, k].
  at::Tensor logits(const at::Tensor& queries, const at::Tensor& cosines, Dropout& dropout,
                    double rate) const;

  const Parameters& parameters() const { return parameters_; }
  std::vector<RelevanceAdapter::Layer> layers() const;

 private:
  struct Block {
    Normalisation norm;  // empty: none
    Linear dense;
  };

  RelevanceNetworkOptions options_;
  std::vector<Block> blocks_;
  Parameters parameters_;
};

}  // namespace kith::learn
