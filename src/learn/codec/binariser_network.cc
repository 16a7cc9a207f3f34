#include "learn/codec/binariser_network.h"

#include <string>

#include "base/random.h"
#include "learn/nn/random_tensors.h"
#include "learn/nn/tensor_files.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

constexpr double kEpsilon = 1e-5;  // as PyTorch's

at::Tensor unit(const at::Tensor& x) { return x / x.norm(2, 1, true).clamp_min(1e-12); }

struct Moments {
  at::Tensor mean, variance;
};
Moments moments_of(const at::Tensor& x) { return {x.mean(0), x.var(0, false)}; }

std::vector<float> floats_of(const at::Tensor& vector) {
  const at::Tensor values = vector.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

}  // namespace

at::Tensor straight_sign(const at::Tensor& x) {
  const at::Tensor through = x.clamp(-1, 1);
  const at::Tensor sign = 2 * x.detach().ge(0).to(x.dtype()) - 1;
  return through + (sign - through).detach();
}

BinariserNetwork::BinariserNetwork(const BinariserShape& shape, std::uint64_t seed)
    : shape_(shape) {
  if (shape_.hidden == 0) shape_.hidden = shape_.dim;
  const Matrix<float> directions = random_directions(shape_.dims, shape_.dim, seed);
  Matrix<float> back(shape_.dim, shape_.dims);
  for (std::size_t i = 0; i < shape_.dims; ++i) {
    for (std::size_t j = 0; j < shape_.dim; ++j) back(j, i) = directions(i, j);
  }
  for (int i = 0; i < shape_.bits; ++i) {
    const auto stream = 2 * static_cast<std::uint64_t>(i);
    binarise_.push_back(make_block(shape_.dim, shape_.dims, directions,
                                   "binarise." + std::to_string(i), seed + stream));
    if (i + 1 == shape_.bits) break;
    reconstruct_.push_back(make_block(shape_.dims, shape_.dim, back,
                                      "reconstruct." + std::to_string(i), seed + stream + 1));
  }
}

BinariserNetwork::Block BinariserNetwork::make_block(std::size_t inputs, std::size_t outputs,
                                                     const Matrix<float>& directions,
                                                     const std::string& name, std::uint64_t seed) {
  Random random(seed, 7);
  const auto in = static_cast<std::int64_t>(inputs), to = static_cast<std::int64_t>(outputs),
             hidden = static_cast<std::int64_t>(shape_.hidden);
  Block block;
  const auto add = [&](const char* part, at::Tensor& place, at::Tensor value) {
    place = value.set_requires_grad(true);
    parameters_.add(name + "." + part, place);
  };
  if (shape_.skip) add("skip", block.skip, tensor_of(directions.view()));
  add("bias", block.bias, torch::zeros({to}));
  add("hidden", block.hidden, uniform_tensor({hidden, in}, in, random));
  add("gamma", block.gamma, torch::ones({hidden}));
  add("beta", block.beta, torch::zeros({hidden}));
  add("out", block.out,
      shape_.skip ? torch::zeros({to, hidden}) : uniform_tensor({to, hidden}, hidden, random));
  return block;
}

template <class Run>
at::Tensor BinariserNetwork::go(const at::Tensor& x, const Run& run) const {
  at::Tensor sum = straight_sign(run(binarise_[0], x));
  double weight = 0.5;
  for (std::size_t i = 1; i < binarise_.size(); ++i, weight /= 2) {
    const at::Tensor rest = x - unit(run(reconstruct_[i - 1], sum));
    sum = sum + weight * straight_sign(run(binarise_[i], rest));
  }
  return sum;
}

at::Tensor BinariserNetwork::apply(const Block& block, const at::Tensor& x) const {
  const at::Tensor h = x.mm(block.hidden.t());
  const auto [mean, variance] = moments_of(h);
  const at::Tensor normed = (h - mean) * (variance + kEpsilon).rsqrt() * block.gamma + block.beta;
  at::Tensor y = normed.relu().mm(block.out.t()) + block.bias;
  if (block.skip.defined()) y = y + x.mm(block.skip.t());
  return y;
}

at::Tensor BinariserNetwork::codes(const at::Tensor& x) const {
  return go(x, [&](const Block& block, const at::Tensor& input) { return apply(block, input); });
}

BinariserBlock BinariserNetwork::fold(const Block& block, const at::Tensor& x) const {
  const auto [mean, variance] = moments_of(x.mm(block.hidden.t()));
  const at::Tensor scale = block.gamma * (variance + kEpsilon).rsqrt();
  BinariserBlock own;
  if (block.skip.defined()) own.skip = matrix_of(block.skip);
  own.bias = floats_of(block.bias);
  own.hidden = matrix_of(block.hidden * scale.unsqueeze(1));
  own.hidden_bias = floats_of(block.beta - mean * scale);
  own.out = matrix_of(block.out);
  return own;
}

Binariser BinariserNetwork::folded(const at::Tensor& sample) const {
  const torch::NoGradGuard constant;
  Binariser own;
  own.dim = shape_.dim;
  own.dims = shape_.dims;
  own.bits = shape_.bits;
  go(sample, [&](const Block& block, const at::Tensor& input) {
    const bool code = own.binarise.size() == own.reconstruct.size();  // they take turns
    (code ? own.binarise : own.reconstruct).push_back(fold(block, input));
    return apply(block, input);
  });
  own.seal();
  return own;
}

}  // namespace kith::learn
