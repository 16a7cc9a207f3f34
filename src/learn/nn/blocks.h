// The parts that layers are made of.
#pragma once

#include <ATen/core/Tensor.h>

#include "encode/config.h"
#include "learn/nn/dropout.h"

namespace kith::learn {

// A low-rank change of a dense layer (Hu et al., "LoRA", 2022): its result gains
// scale * (x a^T) b^T, a [rank, inputs], b [outputs, rank].
struct LowRank {
  at::Tensor a, b;
  double scale = 0, dropout = 0;
};

// weight [outputs, inputs], or [inputs, outputs] where `transposed`; bias [outputs] or undefined.
struct Linear {
  at::Tensor weight, bias;
  bool transposed = false;
  LowRank change;

  bool empty() const { return !weight.defined(); }
  at::Tensor operator()(const at::Tensor& x) const;                    // [..., inputs]
  at::Tensor operator()(const at::Tensor& x, Dropout& dropout) const;  // of the change's input
};

struct Normalisation {
  encode::NormKind kind = encode::NormKind::layer;
  at::Tensor scale, shift;  // [width]; shift may be undefined
  double epsilon = 1e-5;

  bool empty() const { return !scale.defined(); }
  at::Tensor operator()(const at::Tensor& x) const;
};

at::Tensor activate(encode::Activation activation, const at::Tensor& x);

}  // namespace kith::learn
