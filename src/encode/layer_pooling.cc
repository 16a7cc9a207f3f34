#include "encode/layer_pooling.h"

#include <algorithm>
#include <vector>

#include "encode/pooling.h"
#include "kith/control.h"
#include "kith/error.h"
#include "simd/activations.h"

namespace kith::encode {
namespace {

constexpr std::size_t kMostLatents = 1 << 16;

using Tokens = LayerPoolingConfig::Tokens;

Matrix<float> read_layer_weights(ModuleTensors& tensors, std::size_t layers, std::size_t width) {
  const std::string name = "layer_weights";
  const std::vector<std::uint64_t> shape = tensors.store().shape(tensors.full_name(name));
  if (shape.size() == 2 && shape[0] != layers) {
    throw Error(ErrorCode::corrupt, tensors.store().path() + ": layer_weights of " +
                                        std::to_string(shape[0]) + " layers, but the model has " +
                                        std::to_string(layers));
  }
  return tensors.read(name, layers, width);
}

}  // namespace

LayerPoolingConfig read_layer_pooling_config(const Json& json, std::size_t width) {
  expect_prompt_included(json);
  LayerPoolingConfig config;
  config.sizes = read_head_sizes(json, width);
  config.latents = json.whole("latents", 1, kMostLatents);
  config.all_layers = json.required("layers").text() == "all";
  json.expect_text("layers", {"last", "all"});
  json.required("tokens");
  config.tokens = static_cast<Tokens>(json.word("tokens", {"last", "mean", "all"}, 1));
  if (config.all_layers && config.tokens == Tokens::all) {
    json.refuse("tokens", "last or mean, as layers are all", ErrorCode::unsupported);
  }
  return config;
}

LayerPooling::LayerPooling(const LayerPoolingConfig& config, std::size_t layers,
                           ModuleTensors& tensors)
    : config_(config), block_(tensors, config.sizes) {
  WorkerTeam team{Control()};
  latents_ = tensors.read("latents", config.latents, config.sizes.width);
  queries_ = block_.queries(team, latents_);
  if (config.all_layers) layer_weights_ = read_layer_weights(tensors, layers, config.sizes.width);
}

std::string LayerPooling::description() const {
  constexpr const char* kOf[] = {"last tokens", "token means", "tokens"};
  return std::string("layer pooling of ") +
         (config_.all_layers ? "all layers' " : "the last layer's ") +
         kOf[static_cast<std::size_t>(config_.tokens)] + " by " + std::to_string(config_.latents) +
         " latents";
}

void LayerPooling::take(MatrixView<const float> states, const TokenBatch& batch, std::size_t layer,
                        Matrix<float>& taken) const {
  const std::size_t layers = config_.all_layers ? layer_weights_.rows() : 1;
  for (std::size_t s = 0; s < batch.sequences(); ++s) {
    float* to = taken.row(s * layers + layer);
    if (config_.tokens == Tokens::last) {
      std::copy_n(states.row(batch.begin[s + 1] - 1), states.cols(), to);
    } else {
      mean_of(states.slice(batch.begin[s], batch.begin[s + 1] - batch.begin[s]), to);
    }
    if (!config_.all_layers) continue;
    simd::activation_kernels().add(layer_weights_.row(layer), states.cols(), to);
  }
}

void LayerPooling::pool(WorkerTeam& team, const TokenBatch& batch, const RunLayers& run,
                        MatrixView<float> out) const {
  const std::size_t texts = batch.sequences(), width = block_.width();
  const std::size_t each = config_.all_layers ? layer_weights_.rows() : 1;
  Matrix<float> taken(config_.tokens == Tokens::all ? 0 : texts * each, width);
  SeeLayer see;
  if (config_.all_layers) {
    see = [&](std::size_t layer, MatrixView<const float> states) {
      if (layer > 0) take(states, batch, layer - 1, taken);
    };
  }
  const MatrixView<const float> last = run(see);
  const bool tokens = config_.tokens == Tokens::all;
  if (!config_.all_layers && !tokens) take(last, batch, 0, taken);
  const Matrix<float> context = block_.keys_and_values(team, tokens ? last : taken.view());
  const RowRange all[] = {{0, latents_.rows()}};
  for (std::size_t s = 0; s < texts; ++s) {
    const std::size_t begin = tokens ? batch.begin[s] : s * each;
    const std::size_t count = tokens ? batch.begin[s + 1] - begin : each;
    const CrossAttention::Context packed = block_.packed(context.view().slice(begin, count));
    block_.finish(team, latents_, block_.attend(team, queries_, packed), all, out.slice(s, 1));
  }
}

}  // namespace kith::encode
