#include "learn/nn/pooler.h"

#include <algorithm>
#include <optional>

#include "encode/pooling.h"
#include "json/json.h"
#include "kith/error.h"
#include "learn/nn/attention.h"
#include "learn/nn/cross_attention.h"
#include "learn/nn/random_tensors.h"
#include "learn/nn/segments.h"
#include "learn/nn/tensor_files.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using encode::NewFolder;
using Modules = std::vector<encode::Module>;

constexpr char kPoolingFolder[] = "1_Pooling";

Modules write_module(const NewFolder& folder, const std::string& type,
                     const nlohmann::ordered_json& config, const Parameters& parameters) {
  encode::write_json(folder.file(std::string(kPoolingFolder) + "/config.json"), config);
  write_parameters(folder.file(std::string(kPoolingFolder) + "/model.safetensors"), parameters);
  return {{"kith.models." + type, kPoolingFolder}};
}

// ---- Without weights ----------------------------------------------------------------------------

class PlainPooler : public Pooler {
 public:
  PlainPooler(const encode::Pooling& pooling, std::int64_t width)
      : pooling_(pooling), width_(width) {}

  at::Tensor pool(const std::vector<at::Tensor>& states, std::size_t layer,
                  const Tokens& tokens) const override {
    return pool(states.at(layer), tokens);
  }
  std::int64_t dim() const override { return width_ * static_cast<std::int64_t>(pooling_.count()); }
  Parameters parameters() const override { return {}; }
  Modules write(const NewFolder& folder) const override {
    nlohmann::ordered_json json = {{"word_embedding_dimension", width_},
                                   {"pooling_mode_cls_token", pooling_.cls},
                                   {"pooling_mode_mean_tokens", pooling_.mean},
                                   {"pooling_mode_max_tokens", pooling_.max},
                                   {"pooling_mode_mean_sqrt_len_tokens", pooling_.mean_sqrt_len},
                                   {"pooling_mode_weightedmean_tokens", pooling_.weighted_mean},
                                   {"pooling_mode_lasttoken", pooling_.last_token},
                                   {"include_prompt", pooling_.include_prompt}};
    encode::write_json(folder.file(std::string(kPoolingFolder) + "/config.json"), json);
    return {{"sentence_transformers.models.Pooling", kPoolingFolder}};
  }

  at::Tensor pool(const at::Tensor& rows, const Tokens& tokens) const {
    const bool all = pooling_.include_prompt;
    std::vector<at::Tensor> parts;
    if (pooling_.cls) parts.push_back(rows.index_select(0, first_tokens(tokens)));
    if (pooling_.max) parts.push_back(largest(rows, tokens));
    if (pooling_.mean) parts.push_back(mean_sequences(rows, tokens, all));
    if (pooling_.mean_sqrt_len) {
      const at::Tensor counted = counted_tokens(tokens, all).unsqueeze(1);
      parts.push_back(sum_sequences(rows * counted, tokens) /
                      sum_sequences(counted, tokens).sqrt());
    }
    if (pooling_.weighted_mean) {
      const at::Tensor weights = (counted_tokens(tokens, all) * (tokens.position + 1)).unsqueeze(1);
      parts.push_back(sum_sequences(rows * weights, tokens) / sum_sequences(weights, tokens));
    }
    if (pooling_.last_token) parts.push_back(rows.index_select(0, last_tokens(tokens)));
    return parts.size() == 1 ? parts[0] : torch::cat(parts, 1);
  }

 private:
  at::Tensor largest(const at::Tensor& rows, const Tokens& tokens) const {
    constexpr double kLeast = -1e30;
    const at::Tensor counted = counted_tokens(tokens, pooling_.include_prompt).unsqueeze(1);
    const at::Tensor hidden = rows.masked_fill(counted == 0, kLeast);
    const at::Tensor beside = token_mask(tokens).logical_not().unsqueeze(2);
    return pad(hidden, tokens).masked_fill(beside, kLeast).amax(1);
  }

  encode::Pooling pooling_;
  std::int64_t width_;
};

// ---- NV-Embed's latent attention (Lee et al., 2024): tokens attend to latents, then their mean
// ---

class LatentPooler : public Pooler {
 public:
  LatentPooler(at::Tensor latents, CrossAttention block, bool include_prompt)
      : latents_(std::move(latents)), block_(std::move(block)), include_prompt_(include_prompt) {
    latents_.set_requires_grad(true);
  }

  at::Tensor pool(const std::vector<at::Tensor>& states, std::size_t layer,
                  const Tokens& tokens) const override {
    const at::Tensor mixed = block_(states.at(layer).unsqueeze(0), latents_.unsqueeze(0), {});
    return mean_sequences(mixed.squeeze(0), tokens, include_prompt_);
  }
  std::int64_t dim() const override { return latents_.size(1); }
  Parameters parameters() const override {
    Parameters all;
    all.add("latents", latents_);
    all.add("", block_.parameters());
    return all;
  }
  Modules write(const NewFolder& folder) const override {
    return write_module(folder, "LatentPooling",
                        {{"word_embedding_dimension", dim()},
                         {"latents", latents_.size(0)},
                         {"heads", block_.shape().heads},
                         {"head_dim", block_.shape().head_dim},
                         {"include_prompt", include_prompt_}},
                        parameters());
  }

 private:
  at::Tensor latents_;  // [r, width]
  CrossAttention block_;
  bool include_prompt_;
};

// ---- Pooling over layers (Tang and Yang, 2024): latents attend to layers or tokens, then their
// mean
// ---------------------------------------------------------------------------------------------

enum class ReadTokens { last, mean, all };

class LayerPooler : public Pooler {
 public:
  // `layer_weights` [layers, width], or undefined: reads the last layer only.
  LayerPooler(at::Tensor latents, at::Tensor layer_weights, ReadTokens read, CrossAttention block)
      : latents_(std::move(latents)),
        layer_weights_(std::move(layer_weights)),
        read_(read),
        block_(std::move(block)) {
    latents_.set_requires_grad(true);
    if (layer_weights_.defined()) layer_weights_.set_requires_grad(true);
  }

  at::Tensor pool(const std::vector<at::Tensor>& states, std::size_t layer,
                  const Tokens& tokens) const override {
    at::Tensor context, seen;
    if (layer_weights_.defined()) {
      const auto layers = static_cast<std::size_t>(layer_weights_.size(0));
      if (layer != layers) {
        refuse("layer " + std::to_string(layer) + ": the pooling reads all of " +
               std::to_string(layers) + " layers");
      }
      std::vector<at::Tensor> each;
      for (std::size_t l = 1; l <= layers; ++l) each.push_back(one(states.at(l), tokens));
      context = torch::stack(each, 1) + layer_weights_;
    } else if (read_ == ReadTokens::all) {
      context = pad(states.at(layer), tokens);
      seen = token_mask(tokens);
    } else {
      context = one(states.at(layer), tokens).unsqueeze(1);
    }
    const at::Tensor queries =
        latents_.unsqueeze(0).expand({tokens.sequences(), latents_.size(0), latents_.size(1)});
    return block_(queries, context, seen).mean(1);
  }
  std::int64_t dim() const override { return latents_.size(1); }
  Parameters parameters() const override {
    Parameters all;
    all.add("latents", latents_);
    if (layer_weights_.defined()) all.add("layer_weights", layer_weights_);
    all.add("", block_.parameters());
    return all;
  }
  Modules write(const NewFolder& folder) const override {
    constexpr const char* kRead[] = {"last", "mean", "all"};
    return write_module(folder, "LayerPooling",
                        {{"word_embedding_dimension", dim()},
                         {"layers", layer_weights_.defined() ? "all" : "last"},
                         {"tokens", kRead[static_cast<int>(read_)]},
                         {"latents", latents_.size(0)},
                         {"heads", block_.shape().heads},
                         {"head_dim", block_.shape().head_dim}},
                        parameters());
  }

 private:
  // One vector a sequence out of a layer's states.
  at::Tensor one(const at::Tensor& state, const Tokens& tokens) const {
    return read_ == ReadTokens::last ? state.index_select(0, last_tokens(tokens))
                                     : mean_sequences(state, tokens, true);
  }

  at::Tensor latents_, layer_weights_;
  ReadTokens read_;
  CrossAttention block_;
};

// ---- One more block of self-attention over the tokens, then their mean (Lee et al., 2024, as a
// baseline)
// ------------------------------------------------------------------------------------------

class SelfAttentionPooler : public Pooler {
 public:
  SelfAttentionPooler(Parameters parameters, AttentionShape shape)
      : parameters_(std::move(parameters)), shape_(shape) {
    for (const Parameter& each : parameters_) each.value.set_requires_grad(true);
  }

  at::Tensor pool(const std::vector<at::Tensor>& states, std::size_t layer,
                  const Tokens& tokens) const override {
    constexpr double kEpsilon = 1e-5;
    const at::Tensor& x = states.at(layer);
    const at::Tensor normed = torch::layer_norm(x, {dim()}, parameters_["norm.weight"],
                                                parameters_["norm.bias"], kEpsilon);
    const auto project = [&](const char* name) { return torch::linear(normed, parameters_[name]); };
    Dropout none;
    const at::Tensor mixed = attend(project("to_q.weight"), project("to_k.weight"),
                                    project("to_v.weight"), tokens, shape_, {}, {}, 0, none);
    return mean_sequences(x + torch::linear(mixed, parameters_["to_out.weight"]), tokens, true);
  }
  std::int64_t dim() const override { return parameters_["norm.weight"].size(0); }
  Parameters parameters() const override { return parameters_; }
  Modules write(const NewFolder& folder) const override {
    return write_module(folder, "SelfAttentionPooling",
                        {{"word_embedding_dimension", dim()},
                         {"heads", shape_.heads},
                         {"head_dim", shape_.head_dim}},
                        parameters_);
  }

 private:
  Parameters parameters_;
  AttentionShape shape_;
};

std::vector<ModulePlace> self_attention_places(std::int64_t width, std::int64_t inner) {
  return {{"norm.weight", {width}, kNormScale},   {"norm.bias", {width}, kNormShift},
          {"to_q.weight", {inner, width}, width}, {"to_k.weight", {inner, width}, width},
          {"to_v.weight", {inner, width}, width}, {"to_out.weight", {width, inner}, inner}};
}

// ---- A weighted mean of layers (sentence-transformers' WeightedLayerPooling), then of tokens
// -----

class WeightedLayersPooler : public Pooler {
 public:
  WeightedLayersPooler(at::Tensor weights, std::int64_t start, PlainPooler tokens)
      : weights_(std::move(weights)), start_(start), tokens_(std::move(tokens)) {
    weights_.set_requires_grad(true);
  }

  at::Tensor pool(const std::vector<at::Tensor>& states, std::size_t layer,
                  const Tokens& tokens) const override {
    const auto layers = static_cast<std::size_t>(weights_.size(0) + start_ - 1);
    if (layer != layers) {
      refuse("layer " + std::to_string(layer) + ": the pooling reads all of " +
             std::to_string(layers) + " layers");
    }
    at::Tensor sum;
    for (std::int64_t i = 0; i < weights_.size(0); ++i) {
      const at::Tensor part = states.at(static_cast<std::size_t>(start_ + i)) * weights_[i];
      sum = sum.defined() ? sum + part : part;
    }
    return tokens_.pool(sum / weights_.sum(), tokens);
  }
  std::int64_t dim() const override { return tokens_.dim(); }
  Parameters parameters() const override {
    Parameters all;
    all.add("layer_weights", weights_);
    return all;
  }
  Modules write(const NewFolder& folder) const override {
    const std::string place = "1_WeightedLayerPooling";
    encode::write_json(folder.file(place + "/config.json"),
                       {{"word_embedding_dimension", tokens_.dim()},
                        {"layer_start", start_},
                        {"num_hidden_layers", weights_.size(0) + start_ - 1}});
    write_parameters(folder.file(place + "/model.safetensors"), parameters());
    Modules modules = {{"sentence_transformers.models.WeightedLayerPooling", place}};
    const Modules more = tokens_.write(folder);
    modules.insert(modules.end(), more.begin(), more.end());
    return modules;
  }

 private:
  at::Tensor weights_;  // [layers]
  std::int64_t start_;  // the first layer that counts
  PlainPooler tokens_;
};

// ---- Making and reading them
// ---------------------------------------------------------------------

std::optional<encode::Pooling> plain_pooling(const std::string& kind) {
  constexpr std::pair<const char*, bool encode::Pooling::*> kKinds[] = {
      {"cls", &encode::Pooling::cls},
      {"mean", &encode::Pooling::mean},
      {"max", &encode::Pooling::max},
      {"mean_sqrt_len", &encode::Pooling::mean_sqrt_len},
      {"weighted_mean", &encode::Pooling::weighted_mean},
      {"last", &encode::Pooling::last_token}};
  for (const auto& [name, flag] : kKinds) {
    if (kind != name) continue;
    encode::Pooling pooling;
    pooling.*flag = true;
    return pooling;
  }
  return std::nullopt;
}

CrossAttentionShape shape_of(const PoolerOptions& options, const PooledModel& model) {
  CrossAttentionShape shape;
  shape.width = model.width;
  shape.heads = options.heads != 0 ? options.heads : model.heads;
  shape.head_dim = options.head_dim != 0 ? options.head_dim : model.width / shape.heads;
  return shape;
}

ReadTokens read_tokens(const std::string& name, bool all_layers) {
  if (name == "last") return ReadTokens::last;
  if (name == "mean") return ReadTokens::mean;
  if (name == "all" && !all_layers) return ReadTokens::all;
  refuse("pooling tokens '" + name + "', expected last" +
         (all_layers ? " or mean" : ", mean or all"));
}

std::unique_ptr<Pooler> make_layer_pooler(const PoolerOptions& options, const PooledModel& model,
                                          Random& random) {
  const bool all_layers = options.kind == "multi_layer";
  const char* usual = model.causal ? "last" : (all_layers ? "mean" : "all");
  const ReadTokens read = read_tokens(options.tokens.empty() ? usual : options.tokens, all_layers);
  const at::Tensor latents = normal_tensor({options.latents, model.width}, random);
  at::Tensor weights;
  if (all_layers) weights = normal_tensor({model.layers, model.width}, random);
  return std::make_unique<LayerPooler>(latents, weights, read,
                                       CrossAttention::random(shape_of(options, model), random));
}

std::unique_ptr<Pooler> make_self_attention(const PoolerOptions& options, const PooledModel& model,
                                            Random& random) {
  const CrossAttentionShape shape = shape_of(options, model);
  Parameters parameters;
  for (const auto& place : self_attention_places(model.width, shape.heads * shape.head_dim)) {
    parameters.add(place.name, module_tensor(place.shape, place.inputs, random));
  }
  return std::make_unique<SelfAttentionPooler>(
      std::move(parameters), AttentionShape{shape.heads, shape.heads, shape.head_dim});
}

const Json& expect_width(const Json& json, std::int64_t width) {
  if (json.whole("word_embedding_dimension", 1, 1 << 20) != static_cast<std::size_t>(width)) {
    json.refuse("word_embedding_dimension", std::to_string(width) + ", the model's width");
  }
  return json;
}

std::int64_t whole(const Json& json, const std::string& key) {
  return static_cast<std::int64_t>(json.whole(key, 1, 1 << 20));
}

std::unique_ptr<Pooler> read_trained(const std::string& kind, const std::string& folder,
                                     const PooledModel& model) {
  const Json json = Json::read(folder + "/config.json");
  expect_width(json, model.width);
  const auto store = encode::TensorStore::open_file(folder + "/model.safetensors");
  const CrossAttentionShape shape{model.width, whole(json, "heads"), whole(json, "head_dim")};
  const bool include_prompt = json.boolean("include_prompt", true);
  if (kind == "SelfAttentionPooling") {
    Parameters parameters;
    for (const auto& place : self_attention_places(model.width, shape.heads * shape.head_dim)) {
      parameters.add(place.name, read_tensor(store, place.name, place.shape));
    }
    return std::make_unique<SelfAttentionPooler>(
        std::move(parameters), AttentionShape{shape.heads, shape.heads, shape.head_dim});
  }
  const at::Tensor latents = read_tensor(store, "latents", {whole(json, "latents"), model.width});
  CrossAttention block = CrossAttention::read(store, shape);
  if (kind == "LatentPooling") {
    return std::make_unique<LatentPooler>(latents, std::move(block), include_prompt);
  }
  const bool all_layers = json.word("layers", {"last", "all"}, 0) == 1;
  at::Tensor weights;
  if (all_layers) weights = read_tensor(store, "layer_weights", {model.layers, model.width});
  return std::make_unique<LayerPooler>(
      latents, weights, read_tokens(json.text("tokens"), all_layers), std::move(block));
}

std::unique_ptr<Pooler> read_weighted(const std::string& folder, const PooledModel& model,
                                      const encode::Pooling& pooling) {
  const Json json = Json::read(folder + "/config.json");
  expect_width(json, model.width);
  const auto start = static_cast<std::int64_t>(json.whole("layer_start", 0, 1 << 10, 4));
  if (whole(json, "num_hidden_layers") != model.layers) {
    json.refuse("num_hidden_layers", std::to_string(model.layers) + ", those the model has");
  }
  const auto store = encode::TensorStore::open_file(folder + "/model.safetensors");
  return std::make_unique<WeightedLayersPooler>(
      read_tensor(store, "layer_weights", {model.layers + 1 - start}), start,
      PlainPooler(pooling, model.width));
}

}  // namespace

std::unique_ptr<Pooler> make_pooler(const PoolerOptions& options, const PooledModel& model,
                                    std::uint64_t seed) {
  Random random(seed);
  const bool needs_prompt = options.kind == "self_attention" || options.kind == "last_layer" ||
                            options.kind == "multi_layer";
  if (needs_prompt && !options.include_prompt) {
    refuse("pooling '" + options.kind + "' can't leave out prompts");
  }
  if (auto plain = plain_pooling(options.kind)) {
    plain->include_prompt = options.include_prompt;
    return std::make_unique<PlainPooler>(*plain, model.width);
  }
  if (options.latents < 1) refuse("latents: " + std::to_string(options.latents));
  if (options.kind == "latent") {
    const at::Tensor latents = normal_tensor({options.latents, model.width}, random);
    return std::make_unique<LatentPooler>(
        latents, CrossAttention::random(shape_of(options, model), random), options.include_prompt);
  }
  if (options.kind == "self_attention") return make_self_attention(options, model, random);
  if (options.kind == "last_layer" || options.kind == "multi_layer") {
    return make_layer_pooler(options, model, random);
  }
  if (options.kind == "weighted_layers") {
    encode::Pooling mean;
    mean.mean = true;
    mean.include_prompt = options.include_prompt;
    return std::make_unique<WeightedLayersPooler>(torch::ones({model.layers}), 1,
                                                  PlainPooler(mean, model.width));
  }
  refuse("pooling '" + options.kind +
         "', expected cls, mean, max, mean_sqrt_len, weighted_mean, last, latent, self_attention, "
         "last_layer, multi_layer or weighted_layers");
}

std::unique_ptr<Pooler> read_pooler(const encode::Modules& modules, const PooledModel& model) {
  encode::Pooling tokens;
  tokens.mean = true;
  for (const auto& [kind, folder] : modules.ahead) {
    if (kind == "Pooling") tokens = encode::read_pooling(Json::read(folder + "/config.json"));
  }
  for (const auto& [kind, folder] : modules.ahead) {
    if (kind == "WeightedLayerPooling") return read_weighted(folder, model, tokens);
    if (kind == "LatentPooling" || kind == "LayerPooling" || kind == "SelfAttentionPooling") {
      return read_trained(kind, folder, model);
    }
  }
  return std::make_unique<PlainPooler>(tokens, model.width);
}

}  // namespace kith::learn
