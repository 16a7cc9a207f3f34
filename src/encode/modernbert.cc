// ModernBERT (Warner et al., 2024): pre-norm, GEGLU, rotary positions; most layers see a window,
// the others everything, each kind with its own rotary base.
#include "encode/architecture.h"

namespace kith::encode {
namespace {

// Which layers see a window: those that layer_types names, or else all but each n-th.
std::vector<bool> local_layers(const Json& json, std::size_t layers) {
  std::vector<bool> local(layers);
  if (!json.has("layer_types")) {
    const std::size_t every = json.whole("global_attn_every_n_layers", 1, 1 << 20, 3);
    for (std::size_t i = 0; i < layers; ++i) local[i] = i % every != 0;
    return local;
  }
  const std::vector<std::string> types = json.texts("layer_types");
  if (types.size() != layers) json.refuse("layer_types", std::to_string(layers) + " entries");
  for (std::size_t i = 0; i < layers; ++i) {
    local[i] = types[i] == "sliding_attention";
    if (!local[i] && types[i] != "full_attention") {
      json.refuse("layer_types", "full_attention or sliding_attention", ErrorCode::unsupported);
    }
  }
  return local;
}

Rotary rotary_of(const Json& json, const Config& config, const std::string& kind,
                 const std::string& old_key, double theta) {
  constexpr double kMostTheta = 1e12;
  Rotary rotary;
  rotary.dims = config.head_dim;
  rotary.trained = config.max_tokens;
  rotary.theta = json.number(old_key, 1, kMostTheta, theta);
  if (json.has("rope_parameters")) {
    const Json parameters = json.object("rope_parameters").object(kind);
    parameters.expect_text("rope_type", {"default"});
    rotary.theta = parameters.number("rope_theta", 1, kMostTheta, rotary.theta);
  }
  return rotary;
}

Config modernbert_config(const Json& json) {
  Config config = common_config(json);
  config.pre_norm = true;
  config.embedding_norm = config.final_norm = true;
  config.epsilon = static_cast<float>(json.number("norm_eps", 0, 1, 1e-5));
  config.norm_shift = json.boolean("norm_bias", false);
  config.qkv_bias = config.out_bias = json.boolean("attention_bias", false);
  config.up_bias = config.down_bias = json.boolean("mlp_bias", false);
  config.activation = read_activation(json, "hidden_activation", "gelu");
  config.gated = true;
  if (config.head_dim % 2 != 0) json.refuse("num_attention_heads", "heads of even size");
  const Rotary global = rotary_of(json, config, "full_attention", "global_rope_theta", 160000);
  config.rotary = {global, rotary_of(json, config, "sliding_attention", "local_rope_theta",
                                     json.has("global_rope_theta") ? global.theta : 10000)};
  const std::size_t reach = json.whole("local_attention", 1, 1 << 24, 128) / 2;
  const std::vector<bool> local = local_layers(json, config.layers.size());
  for (std::size_t i = 0; i < config.layers.size(); ++i) {
    LayerPlan& layer = config.layers[i];
    if (local[i]) layer.back = layer.forward = reach;
    layer.rotary = local[i] ? 1 : 0;
    layer.attention_norm = i != 0;  // the embeddings were normalised
  }
  return config;
}

Names modernbert_names(const Json&, const Config&) {
  const std::string layer = "layers.{}.";
  return {.tokens = "embeddings.tok_embeddings.weight",
          .embedding_norm = "embeddings.norm",
          .final_norm = "final_norm",
          .attention_norm = layer + "attn_norm",
          .mlp_norm = layer + "mlp_norm",
          .qkv = layer + "attn.Wqkv",
          .out = layer + "attn.Wo",
          .gate_up = layer + "mlp.Wi",
          .down = layer + "mlp.Wo",
          .prefixes = {"model."},
          .unused = {"head.*", "decoder.*", "classifier.*"}};
}

}  // namespace

extern const Architecture kModernBert{"modernbert", modernbert_config, modernbert_names};

}  // namespace kith::encode
