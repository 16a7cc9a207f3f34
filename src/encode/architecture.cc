#include "encode/architecture.h"

#include <algorithm>
#include <cmath>

#include "encode/context.h"

namespace kith::encode {

// One a file: bert.cc, mpnet.cc, ...
extern const Architecture kBert, kXlmRoberta, kRoberta, kMpnet, kModernBert, kNomicBert, kGpt2,
    kLlama, kMistral, kQwen2, kQwen3, kUseLite, kNvEmbed;

namespace {

constexpr const Architecture* kAll[] = {
    &kBert,  &kXlmRoberta, &kRoberta, &kMpnet, &kModernBert, &kNomicBert, &kGpt2,
    &kLlama, &kMistral,    &kQwen2,   &kQwen3, &kUseLite,    &kNvEmbed};

// Far above what is published, far below what overflows.
constexpr std::size_t kMostTokens = 1 << 24, kMostWidth = 1 << 16, kMostLayers = 1 << 10,
                      kMostHidden = 1 << 20;

double yarn_mscale(double factor, double mscale) {
  return factor <= 1 ? 1 : 0.1 * mscale * std::log(factor) + 1;
}

void read_yarn(const Json& scaling, Rotary& rotary) {
  rotary.fast = scaling.number("beta_fast", 1e-3, 1e6, 32);
  rotary.slow = scaling.number("beta_slow", 1e-3, 1e6, 1);
  rotary.whole = scaling.boolean("truncate", true);
  const double mscale = scaling.number("mscale", 0, 100, 0);
  const double mscale_all = scaling.number("mscale_all_dim", 0, 100, 0);
  const double usual = mscale != 0 && mscale_all != 0 ? yarn_mscale(rotary.factor, mscale) /
                                                            yarn_mscale(rotary.factor, mscale_all)
                                                      : yarn_mscale(rotary.factor, 1);
  rotary.attention_factor = scaling.number("attention_factor", 1e-6, 1e6, usual);
}

void read_scaling(const Json& scaling, Rotary& rotary) {
  const std::string key = scaling.has("rope_type") ? "rope_type" : "type";
  const std::string type = scaling.text(key, "default");
  if (type == "default") return;
  const auto known = std::to_array<std::pair<std::string_view, RotaryScaling>>(
      {{"linear", RotaryScaling::linear},
       {"dynamic", RotaryScaling::dynamic},
       {"yarn", RotaryScaling::yarn},
       {"llama3", RotaryScaling::llama3}});
  const auto at =
      std::ranges::find(known, type, &std::pair<std::string_view, RotaryScaling>::first);
  if (at == known.end()) {
    scaling.refuse(key, "default, linear, dynamic, yarn or llama3", ErrorCode::unsupported);
  }
  rotary.scaling = at->second;
  rotary.factor = scaling.number("factor", 1, 1e6);
  // Dynamic scaling starts at max_position_embeddings, whatever else the file says.
  if (rotary.scaling != RotaryScaling::dynamic) {
    rotary.trained =
        scaling.whole("original_max_position_embeddings", 1, kMostTokens, rotary.trained);
  }
  if (rotary.scaling == RotaryScaling::yarn) read_yarn(scaling, rotary);
  if (rotary.scaling == RotaryScaling::llama3) {
    rotary.low = scaling.number("low_freq_factor", 1e-3, 1e6);
    rotary.high = scaling.number("high_freq_factor", 1e-3, 1e6);
    if (rotary.high <= rotary.low) scaling.refuse("high_freq_factor", "more than low_freq_factor");
  }
}

}  // namespace

std::span<const Architecture* const> all_architectures() { return kAll; }

const Architecture& architecture_of(const Json& json) {
  const std::string type = json.text("model_type");
  std::string known;
  for (const Architecture* architecture : kAll) {
    if (architecture->model_type == type) return *architecture;
    if (!known.empty()) known += ", ";
    known += architecture->model_type;
  }
  json.refuse("model_type", "one of " + known, ErrorCode::unsupported);
}

Config read_config(const Json& json) {
  Config config = architecture_of(json).config(json);
  config.norm_every_layer = json.boolean("norm_every_layer", false);
  if (config.norm_every_layer && !config.final_norm) {
    json.refuse("norm_every_layer", "false, as the model has no final norm");
  }
  const std::size_t trained = json.whole(kInterpolatedFrom, 2, config.max_tokens, 0);
  if (trained == 0) return config;
  if (config.position_rows == 0) json.refuse(kInterpolatedFrom, "0, as it has no such table");
  if (config.max_tokens % trained != 0) {
    json.refuse(kInterpolatedFrom,
                "a divisor of its positions, " + std::to_string(config.max_tokens));
  }
  interpolate(config, trained);
  return config;
}

void check_heads(const Json& json, const std::string& key, Config& config) {
  if (config.head_dim == 0) {
    if (config.width % config.heads != 0) {
      json.refuse(key, "a divisor of the width, " + std::to_string(config.width));
    }
    config.head_dim = config.width / config.heads;
  }
  if (config.heads % config.kv_heads != 0) {
    json.refuse("num_key_value_heads",
                "a divisor of num_attention_heads, " + std::to_string(config.heads));
  }
}

Config common_config(const Json& json) {
  Config config;
  config.architecture = json.text("model_type");
  config.vocabulary = json.whole("vocab_size", 1, kMostTokens);
  config.width = json.whole("hidden_size", 1, kMostWidth);
  config.hidden = json.whole("intermediate_size", 1, kMostHidden);
  config.layers.resize(json.whole("num_hidden_layers", 1, kMostLayers));
  config.heads = json.whole("num_attention_heads", 1, kMostWidth);
  config.kv_heads = json.whole("num_key_value_heads", 1, config.heads, config.heads);
  config.head_dim = json.whole("head_dim", 1, kMostWidth, 0);
  config.max_tokens = json.whole("max_position_embeddings", 1, kMostTokens);
  check_heads(json, "num_attention_heads", config);
  return config;
}

Config gpt_config(const Json& json) {
  Config config;
  config.architecture = json.text("model_type");
  config.vocabulary = json.whole("vocab_size", 1, kMostTokens);
  config.width = json.whole("n_embd", 1, kMostWidth);
  config.hidden = json.whole("n_inner", 1, kMostHidden, 4 * config.width);
  config.layers.resize(json.whole("n_layer", 1, kMostLayers));
  config.heads = config.kv_heads = json.whole("n_head", 1, kMostWidth);
  config.max_tokens = json.whole("n_positions", 1, kMostTokens);
  check_heads(json, "n_head", config);
  return config;
}

Activation read_activation(const Json& json, const std::string& key, const std::string& otherwise) {
  const std::string name = json.text(key, otherwise);
  if (name == "gelu") return Activation::gelu;
  for (const char* same : {"gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu_python_tanh"}) {
    if (name == same) return Activation::gelu_tanh;
  }
  if (name == "relu") return Activation::relu;
  if (name == "silu" || name == "swish") return Activation::silu;
  json.refuse(key, "gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, relu, silu or swish",
              ErrorCode::unsupported);
}

Rotary read_rotary(const Json& json, const Config& config) {
  constexpr double kMostTheta = 1e12;
  Rotary rotary;
  const double part = json.number("partial_rotary_factor", 0, 1, 1);
  rotary.dims = static_cast<std::size_t>(static_cast<double>(config.head_dim) * part);
  if (rotary.dims < 2 || rotary.dims % 2 != 0) {
    json.refuse("head_dim",
                "an even number of rotated dimensions, not " + std::to_string(rotary.dims));
  }
  rotary.theta = json.number("rope_theta", 1, kMostTheta, 10000);
  rotary.trained = config.max_tokens;
  if (json.has("rope_parameters")) {
    const Json parameters = json.object("rope_parameters");
    rotary.theta = parameters.number("rope_theta", 1, kMostTheta, rotary.theta);
    read_scaling(parameters, rotary);
  } else if (json.has("rope_scaling")) {
    read_scaling(json.object("rope_scaling"), rotary);
  }
  if (rotary.scaling == RotaryScaling::dynamic && rotary.dims < 4) {
    json.refuse("head_dim", "at least 4 rotated dimensions for dynamic scaling");
  }
  return rotary;
}

void plan_causal(const Json& json, Config& config, std::size_t window, std::size_t first_sliding) {
  std::vector<std::string> types;
  if (json.has("layer_types")) {
    types = json.texts("layer_types");
    if (types.size() != config.layers.size()) {
      json.refuse("layer_types", std::to_string(config.layers.size()) + " entries");
    }
  }
  for (std::size_t i = 0; i < config.layers.size(); ++i) {
    bool sliding = i >= first_sliding;
    if (!types.empty()) {
      sliding = types[i] == "sliding_attention";
      if (!sliding && types[i] != "full_attention") {
        json.refuse("layer_types", "full_attention or sliding_attention", ErrorCode::unsupported);
      }
    }
    config.layers[i].forward = 0;
    if (!sliding) continue;
    if (window == 0) json.refuse("sliding_window", "a number, since layers slide");
    config.layers[i].back = window - 1;
  }
}

}  // namespace kith::encode
