#include "learn/nn/future_decoder.h"

#include <cmath>

#include "learn/nn/random_tensors.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

// [P, T, d] to [P, heads, T, d / heads].
at::Tensor by_head(const at::Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
}

// `hidden` [T, T]: -inf where a token doesn't see a key, or undefined.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads,
                  const at::Tensor& hidden) {
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(2) / heads));
  at::Tensor scores = by_head(q * scale, heads).matmul(by_head(k, heads).transpose(2, 3));
  if (hidden.defined()) scores = scores + hidden;
  return scores.softmax(-1).matmul(by_head(v, heads)).transpose(1, 2).reshape(q.sizes());
}

}  // namespace

FutureDecoder::FutureDecoder(const FutureDecoderOptions& options, std::int64_t width,
                             std::int64_t heads, std::uint64_t seed)
    : options_(options), width_(width), heads_(options.heads != 0 ? options.heads : heads) {
  if (options.first != "start" && options.first != "token") {
    refuse("ftp: first '" + options.first + "', expected start or token");
  }
  if (options.layers < 1 || options.pseudo_tokens < 1 || options.ahead < 1) {
    refuse("ftp: layers, pseudo_tokens and ahead, expected 1 or more each");
  }
  if (width % heads_ != 0) {
    refuse("ftp: " + std::to_string(heads_) + " heads, expected a divisor of the width " +
           std::to_string(width));
  }
  constexpr double kSpread = 0.02;
  const double last = kSpread / std::sqrt(2.0 * static_cast<double>(options.layers));
  Random random(seed, 3);
  const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape,
                       double spread) {
    const at::Tensor tensor =
        spread > 0 ? normal_tensor(shape, random, spread) : torch::zeros(shape);
    parameters_.add(name, tensor.set_requires_grad(true));
  };
  const auto add_linear = [&](const std::string& name, std::int64_t outputs, std::int64_t inputs,
                              double spread) {
    add(name + ".weight", {outputs, inputs}, spread);
    add(name + ".bias", {outputs}, 0);
  };
  const auto add_norm = [&](const std::string& name) {
    parameters_.add(name + ".weight", torch::ones({width}).set_requires_grad(true));
    add(name + ".bias", {width}, 0);
  };
  add_linear("expand", options.pseudo_tokens * width, width, kSpread);
  add("start", {width}, kSpread);
  add("positions", {options.ahead, width}, kSpread);
  for (std::int64_t l = 0; l < options.layers; ++l) {
    const std::string layer = "layers." + std::to_string(l) + ".";
    add_norm(layer + "self_norm");
    add_linear(layer + "qkv", 3 * width, width, kSpread);
    add_linear(layer + "self_out", width, width, last);
    add_norm(layer + "cross_norm");
    add_linear(layer + "query", width, width, kSpread);
    add_linear(layer + "key_value", 2 * width, width, kSpread);
    add_linear(layer + "cross_out", width, width, last);
    add_norm(layer + "mlp_norm");
    add_linear(layer + "up", 4 * width, width, kSpread);
    add_linear(layer + "down", width, 4 * width, last);
    layers_.push_back({norm(layer + "self_norm"), norm(layer + "cross_norm"),
                       norm(layer + "mlp_norm"), linear(layer + "qkv"), linear(layer + "self_out"),
                       linear(layer + "query"), linear(layer + "key_value"),
                       linear(layer + "cross_out"), linear(layer + "up"), linear(layer + "down")});
  }
  add_norm("final_norm");
  expand_ = linear("expand");
  start_ = parameters_["start"];
  positions_ = parameters_["positions"];
  final_norm_ = norm("final_norm");
}

Linear FutureDecoder::linear(const std::string& name) const {
  Linear linear;
  linear.weight = parameters_[name + ".weight"];
  linear.bias = parameters_[name + ".bias"];
  return linear;
}

Normalisation FutureDecoder::norm(const std::string& name) const {
  return {.scale = parameters_[name + ".weight"], .shift = parameters_[name + ".bias"]};
}

at::Tensor FutureDecoder::operator()(const at::Tensor& states, const at::Tensor& own,
                                     const at::Tensor& following) const {
  const std::int64_t rows = states.size(0), ahead = options_.ahead;
  const at::Tensor first = options_.first == "start" ? start_.expand({rows, width_}) : own;
  at::Tensor x = torch::cat({first.unsqueeze(1), following}, 1) + positions_;
  const at::Tensor pseudo = expand_(states).view({rows, options_.pseudo_tokens, width_});
  const at::Tensor hidden =
      torch::full({ahead, ahead}, -1e30, x.options()).triu(1);  // those behind
  for (const Layer& layer : layers_) {
    const std::vector<at::Tensor> qkv = layer.qkv(layer.self_norm(x)).chunk(3, -1);
    x = x + layer.self_out(attend(qkv[0], qkv[1], qkv[2], heads_, hidden));
    const std::vector<at::Tensor> kv = layer.key_value(pseudo).chunk(2, -1);
    x = x + layer.cross_out(attend(layer.query(layer.cross_norm(x)), kv[0], kv[1], heads_, {}));
    const at::Tensor up = layer.up(layer.mlp_norm(x));
    x = x + layer.down(activate(encode::Activation::gelu_tanh, up));
  }
  return final_norm_(x);
}

}  // namespace kith::learn
