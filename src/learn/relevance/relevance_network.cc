#include "learn/relevance/relevance_network.h"

#include <cmath>
#include <string>

#include "base/random.h"
#include "learn/nn/random_tensors.h"
#include "learn/nn/tensor_files.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

constexpr double kLeastSlope = RelevanceAdapter::kLeastSlope;

std::vector<float> values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().cpu().contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

}  // namespace

RelevanceNetwork::RelevanceNetwork(std::int64_t dim, const RelevanceNetworkOptions& options,
                                   std::uint64_t seed)
    : options_(options) {
  Random random(seed);
  std::int64_t inputs = dim;
  for (std::int64_t l = 0; l <= options.layers; ++l) {
    const bool last = l == options.layers;
    const std::int64_t rows =
        last ? static_cast<std::int64_t>(outputs(options.mapping)) : options.hidden;
    Block block;
    const std::string name = "layer" + std::to_string(l);
    if (!last) {
      block.norm.scale = torch::ones({inputs});
      block.norm.shift = torch::zeros({inputs});
      parameters_.add(name + ".scale", block.norm.scale);
      parameters_.add(name + ".shift", block.norm.shift);
    }
    block.dense.weight = uniform_tensor({rows, inputs}, inputs, random);
    block.dense.bias = uniform_tensor({rows}, inputs, random);
    parameters_.add(name + ".weight", block.dense.weight);
    parameters_.add(name + ".bias", block.dense.bias);
    blocks_.push_back(std::move(block));
    inputs = rows;
  }
  for (const Parameter& each : parameters_) each.value.set_requires_grad(true);
}

void RelevanceNetwork::start_from(double slope, double offset) {
  const torch::NoGradGuard constant;
  const Linear& last = blocks_.back().dense;
  last.weight.zero_();
  last.bias.zero_();
  const bool sloped = options_.mapping != RelevanceMapping::offset;
  if (sloped) {
    const double wanted = slope > kLeastSlope ? slope : 1;
    // What softplus makes `wanted` of.
    last.bias[0] = options_.free_slope ? wanted : std::log(std::expm1(wanted - kLeastSlope));
  }
  last.bias[sloped ? 1 : 0] = offset;
}

at::Tensor RelevanceNetwork::logits(const at::Tensor& queries, const at::Tensor& cosines,
                                    Dropout& dropout, double rate) const {
  at::Tensor x = queries;
  for (std::size_t l = 0; l < blocks_.size(); ++l) {
    if (l > 0) x = dropout(torch::relu(x), rate);
    const Block& block = blocks_[l];
    x = block.dense(block.norm.empty() ? x : block.norm(x));
  }
  const auto column = [&](std::int64_t c) { return x.narrow(1, c, 1); };
  const RelevanceMapping mapping = options_.mapping;
  if (mapping == RelevanceMapping::offset) return cosines + column(0);
  const at::Tensor slope =
      options_.free_slope ? column(0) : torch::softplus(column(0)) + kLeastSlope;
  const at::Tensor positive = cosines.clamp(RelevanceCurve::kLeastCosine, 1);
  at::Tensor s = cosines;
  if (mapping == RelevanceMapping::sqrt) s = positive.sqrt();
  if (mapping == RelevanceMapping::quadratic) s = positive.square();
  if (mapping == RelevanceMapping::power) s = torch::pow(positive, 2 * torch::sigmoid(column(2)));
  return slope * s + column(1);
}

std::vector<RelevanceAdapter::Layer> RelevanceNetwork::layers() const {
  std::vector<RelevanceAdapter::Layer> layers;
  for (const Block& block : blocks_) {
    RelevanceAdapter::Layer layer;
    if (!block.norm.empty()) {
      layer.scale = values_of(block.norm.scale);
      layer.shift = values_of(block.norm.shift);
    }
    layer.weight = matrix_of(block.dense.weight);
    layer.bias = values_of(block.dense.bias);
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace kith::learn
