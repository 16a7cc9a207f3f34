// Softmax attention within each of several sequences, with gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include "encode/config.h"
#include "learn/nn/dropout.h"
#include "learn/nn/tokens.h"

namespace kith::learn {

struct AttentionShape {
  std::int64_t heads, kv_heads, head_dim;
};

// queries [N, heads * head_dim], keys and values [N, kv_heads * head_dim], each head's columns
// together; scores are divided by the root of head_dim. `bias` [heads, T, T], T the longest
// sequence, is added to them, or undefined. `rate`: of the weights' dropout. Returns
// [N, heads * head_dim]. A sequence's result depends on its own tokens alone.
at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  const Tokens& tokens, const AttentionShape& shape, const encode::LayerPlan& plan,
                  const at::Tensor& bias, double rate, Dropout& dropout);

// From packed rows [N, d] to [S, T, d] with zeros as padding, and back.
at::Tensor pad(const at::Tensor& rows, const Tokens& tokens);
at::Tensor unpad(const at::Tensor& padded, const Tokens& tokens);
// True at tokens, [S, T].
at::Tensor token_mask(const Tokens& tokens);

}  // namespace kith::learn
