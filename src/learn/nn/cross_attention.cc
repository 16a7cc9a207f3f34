#include "learn/nn/cross_attention.h"

#include <cmath>

#include "learn/nn/random_tensors.h"
#include "learn/nn/tensor_files.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

constexpr char kAttention[] = "cross_attend_blocks.0.", kForward[] = "cross_attend_blocks.1.";
// The feed-forward layer is so many times as wide, for values and as much for gates.
constexpr std::int64_t kWider = 4;

std::vector<ModulePlace> places(const CrossAttentionShape& shape) {
  const std::int64_t d = shape.width, inner = shape.heads * shape.head_dim;
  const std::string attention = kAttention, forward = kForward;
  return {{attention + "norm.weight", {d}, kNormScale},
          {attention + "norm.bias", {d}, kNormShift},
          {attention + "norm_context.weight", {d}, kNormScale},
          {attention + "norm_context.bias", {d}, kNormShift},
          {attention + "fn.to_q.weight", {inner, d}, d},
          {attention + "fn.to_kv.weight", {2 * inner, d}, d},
          {attention + "fn.to_out.weight", {d, inner}, inner},
          {forward + "norm.weight", {d}, kNormScale},
          {forward + "norm.bias", {d}, kNormShift},
          {forward + "fn.net.0.weight", {2 * kWider * d, d}, d},
          {forward + "fn.net.0.bias", {2 * kWider * d}, d},
          {forward + "fn.net.2.weight", {d, kWider * d}, kWider * d},
          {forward + "fn.net.2.bias", {d}, kWider * d}};
}

}  // namespace

at::Tensor module_tensor(at::IntArrayRef shape, std::int64_t inputs, Random& random) {
  if (inputs > 0) return uniform_tensor(shape, inputs, random);
  return torch::full(shape, inputs == kNormScale ? 1.0 : 0.0);
}

CrossAttention::CrossAttention(const CrossAttentionShape& shape, Parameters parameters)
    : shape_(shape), parameters_(std::move(parameters)) {
  for (const Parameter& each : parameters_) each.value.set_requires_grad(true);
}

CrossAttention CrossAttention::random(const CrossAttentionShape& shape, Random& random) {
  Parameters parameters;
  for (const ModulePlace& place : places(shape)) {
    parameters.add(place.name, module_tensor(place.shape, place.inputs, random));
  }
  return {shape, std::move(parameters)};
}

CrossAttention CrossAttention::read(const encode::TensorStore& store,
                                    const CrossAttentionShape& shape) {
  Parameters parameters;
  for (const ModulePlace& place : places(shape)) {
    parameters.add(place.name, read_tensor(store, place.name, place.shape));
  }
  return {shape, std::move(parameters)};
}

at::Tensor CrossAttention::operator()(const at::Tensor& x, const at::Tensor& context,
                                      const at::Tensor& seen) const {
  constexpr double kEpsilon = 1e-5;
  const auto tensor = [&](const char* block, const char* name) -> const at::Tensor& {
    return parameters_[std::string(block) + name];
  };
  const auto norm = [&](const at::Tensor& y, const char* block, const std::string& name) {
    return torch::layer_norm(y, {shape_.width}, tensor(block, (name + ".weight").c_str()),
                             tensor(block, (name + ".bias").c_str()), kEpsilon);
  };
  const auto by_head = [&](const at::Tensor& y) {
    return y.view({y.size(0), y.size(1), shape_.heads, shape_.head_dim}).transpose(1, 2);
  };
  const at::Tensor q =
      torch::linear(norm(x, kAttention, "norm"), tensor(kAttention, "fn.to_q.weight"));
  const std::vector<at::Tensor> kv = torch::linear(norm(context, kAttention, "norm_context"),
                                                   tensor(kAttention, "fn.to_kv.weight"))
                                         .chunk(2, -1);
  at::Tensor scores = by_head(q).matmul(by_head(kv[0]).transpose(2, 3)) /
                      std::sqrt(static_cast<double>(shape_.head_dim));
  if (seen.defined()) {
    constexpr double kHidden = -1e30;
    scores = scores.masked_fill(seen.logical_not().unsqueeze(1).unsqueeze(1), kHidden);
  }
  const at::Tensor mixed = scores.softmax(-1).matmul(by_head(kv[1])).transpose(1, 2).flatten(2);
  const at::Tensor attended = x + torch::linear(mixed, tensor(kAttention, "fn.to_out.weight"));
  const std::vector<at::Tensor> parts =
      torch::linear(norm(attended, kForward, "norm"), tensor(kForward, "fn.net.0.weight"),
                    tensor(kForward, "fn.net.0.bias"))
          .chunk(2, -1);
  return attended + torch::linear(parts[0] * torch::gelu(parts[1]),
                                  tensor(kForward, "fn.net.2.weight"),
                                  tensor(kForward, "fn.net.2.bias"));
}

}  // namespace kith::learn
