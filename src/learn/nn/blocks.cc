#include "learn/nn/blocks.h"

#include "learn/torch.h"

namespace kith::learn {

at::Tensor Linear::operator()(const at::Tensor& x) const {
  Dropout none;
  return (*this)(x, none);
}

at::Tensor Linear::operator()(const at::Tensor& x, Dropout& dropout) const {
  at::Tensor y = torch::linear(x, transposed ? weight.t() : weight, bias);
  if (!change.a.defined()) return y;
  const at::Tensor input = dropout(x, change.dropout);
  return y + torch::linear(torch::linear(input, change.a), change.b) * change.scale;
}

at::Tensor Normalisation::operator()(const at::Tensor& x) const {
  if (kind == encode::NormKind::layer) {
    return torch::layer_norm(x, {x.size(-1)}, scale, shift, epsilon);
  }
  const at::Tensor y = x * torch::rsqrt(x.square().mean(-1, true) + epsilon) * scale;
  return shift.defined() ? y + shift : y;
}

at::Tensor activate(encode::Activation activation, const at::Tensor& x) {
  using encode::Activation;
  switch (activation) {
    case Activation::gelu:
      return torch::gelu(x);
    case Activation::gelu_tanh:
      return torch::gelu(x, "tanh");
    case Activation::relu:
      return torch::relu(x);
    case Activation::silu:
      return torch::silu(x);
    case Activation::tanh:
      return torch::tanh(x);
    case Activation::identity:
      return x;
  }
  return x;
}

}  // namespace kith::learn
