// Matryoshka representations: leading components that are useful alone (Kusupati et al., 2022).
#pragma once

#include <cstdint>
#include <vector>

#include "learn/loss/embedded.h"

namespace kith::learn {

struct MatryoshkaOptions {
  std::vector<std::int64_t> dims = {};  // how many leading ones; the full width only if listed
  std::vector<double> weights = {};     // one a dimension; empty: 1 each, as the paper's
  bool normalise = true;  // unit vectors after the cut; false for bases of raw products
};

// Sum over dims of weight base(the first dim components of every vector). Throws kith::Error
// invalid_argument on shapes that do not fit, no dims, dims that repeat or lie outside 1 .. d,
// and weights that are negative or of another number than dims.
Tensor matryoshka(const Embedded& batch, const EmbeddingLoss& base,
                  const MatryoshkaOptions& options);

}  // namespace kith::learn
