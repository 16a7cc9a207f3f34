// Cross-attention with a gated feed-forward layer behind it, both with norms in front and added to
// what comes in: the block of NV-Embed's latent pooling (Lee et al., 2024) and of multi-layer
// pooling (Tang and Yang, 2024), under the names in their released checkpoints.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "encode/tensor_store.h"
#include "learn/nn/blocks.h"
#include "learn/nn/parameters.h"

namespace kith::learn {

struct CrossAttentionShape {
  std::int64_t width = 0, heads = 1, head_dim = 0;
};

class CrossAttention {
 public:
  static CrossAttention random(const CrossAttentionShape& shape, Random& random);
  static CrossAttention read(const encode::TensorStore& store, const CrossAttentionShape& shape);

  const CrossAttentionShape& shape() const { return shape_; }
  const Parameters& parameters() const { return parameters_; }

  // x [B, n, width] attends to context [B or 1, m, width]; `seen` [B, m], true at what may be seen,
  // or undefined. Returns [B, n, width].
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& context,
                        const at::Tensor& seen) const;

 private:
  CrossAttention(const CrossAttentionShape& shape, Parameters parameters);

  CrossAttentionShape shape_;
  Parameters parameters_;
};

// A tensor of a module: `inputs` of a dense layer, or one of these.
inline constexpr std::int64_t kNormScale = 0, kNormShift = -1;
struct ModulePlace {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t inputs;
};
// As it starts: a norm as 1 and 0.
at::Tensor module_tensor(at::IntArrayRef shape, std::int64_t inputs, Random& random);

}  // namespace kith::learn
