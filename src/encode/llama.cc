// Llama (Touvron et al., 2023) and its relatives Mistral, Qwen2 and Qwen3: causal, pre-norm by the
// root mean square, rotary positions, SwiGLU, grouped-query attention; Mistral and Qwen may slide a
// window, Qwen3 normalises each head's queries and keys.
#include "encode/llama.h"

#include "encode/architecture.h"

namespace kith::encode {
namespace {

Config common(const Json& json) {
  Config config = common_config(json);
  config.norm = NormKind::rms;
  config.pre_norm = config.final_norm = true;
  config.norm_shift = false;
  config.epsilon = static_cast<float>(json.number("rms_norm_eps", 0, 1, 1e-6));
  config.qkv_bias = config.out_bias = json.boolean("attention_bias", false);
  config.up_bias = config.down_bias = json.boolean("mlp_bias", false);
  config.activation = read_activation(json, "hidden_act", "silu");
  config.gated = true;
  config.rotary = {read_rotary(json, config)};
  const Rotary& rotary = config.rotary[0];
  if (rotary.scaling == RotaryScaling::dynamic) {  // reaches beyond max_position_embeddings
    config.max_tokens =
        static_cast<std::size_t>(rotary.factor * static_cast<double>(config.max_tokens));
  }
  for (LayerPlan& layer : config.layers) layer.rotary = 0;
  return config;
}

// Embedding models made from decoders say so when their attention looks both ways.
void look_both_ways_if_told(const Json& json, Config& config) {
  if (json.boolean("is_causal", true)) return;
  for (LayerPlan& layer : config.layers) layer.forward = layer.back;
}

std::size_t window_of(const Json& json) { return json.whole("sliding_window", 1, 1 << 24, 0); }

Config llama_config(const Json& json) {
  Config config = common(json);
  plan_causal(json, config, 0, kUnlimited);
  look_both_ways_if_told(json, config);
  return config;
}

void plan_qwen(const Json& json, Config& config) {
  const bool slides = json.boolean("use_sliding_window", false);
  const std::size_t first = json.whole("max_window_layers", 0, 1 << 20, 28);
  const std::size_t window = slides ? json.whole("sliding_window", 1, 1 << 24, 4096) : 0;
  plan_causal(json, config, window, slides ? first : kUnlimited);
  look_both_ways_if_told(json, config);
}

Config qwen2_config(const Json& json) {
  Config config = common(json);
  config.qkv_bias = true;
  config.out_bias = false;
  plan_qwen(json, config);
  return config;
}

Config qwen3_config(const Json& json) {
  Config config = common(json);
  config.qk_norm = true;
  plan_qwen(json, config);
  return config;
}

}  // namespace

Config mistral_config(const Json& json) {
  constexpr std::size_t kWindow = 4096;  // where the file says nothing; null means none
  Config config = common(json);
  const std::size_t window = json.raw().contains("sliding_window") ? window_of(json) : kWindow;
  plan_causal(json, config, window, window == 0 ? kUnlimited : 0);
  look_both_ways_if_told(json, config);
  return config;
}

Names llama_names(const Json&, const Config& config) {
  const std::string layer = "layers.{}.";
  Names names{.tokens = "embed_tokens.weight",
              .final_norm = "norm",
              .attention_norm = layer + "input_layernorm",
              .mlp_norm = layer + "post_attention_layernorm",
              .query = layer + "self_attn.q_proj",
              .key = layer + "self_attn.k_proj",
              .value = layer + "self_attn.v_proj",
              .out = layer + "self_attn.o_proj",
              .gate = layer + "mlp.gate_proj",
              .up = layer + "mlp.up_proj",
              .down = layer + "mlp.down_proj",
              .prefixes = {"model."},
              .unused = {"lm_head.*", "score.*", "*.rotary_emb.inv_freq"}};
  if (config.qk_norm) {
    names.query_norm = layer + "self_attn.q_norm";
    names.key_norm = layer + "self_attn.k_norm";
  }
  return names;
}

extern const Architecture kLlama{"llama", llama_config, llama_names};
extern const Architecture kMistral{"mistral", mistral_config, llama_names};
extern const Architecture kQwen2{"qwen2", qwen2_config, llama_names};
extern const Architecture kQwen3{"qwen3", qwen3_config, llama_names};

}  // namespace kith::encode
