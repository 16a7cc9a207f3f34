// GPT-2 (Radford et al., 2019): causal, pre-norm, learned positions; weights are stored inputs x
// outputs.
#include "encode/architecture.h"

namespace kith::encode {
namespace {

Config gpt2_config(const Json& json) {
  if (!json.boolean("scale_attn_weights", true)) {
    json.refuse("scale_attn_weights", "true", ErrorCode::unsupported);
  }
  if (json.boolean("scale_attn_by_inverse_layer_idx", false)) {
    json.refuse("scale_attn_by_inverse_layer_idx", "false", ErrorCode::unsupported);
  }
  Config config = gpt_config(json);
  config.pre_norm = config.final_norm = true;
  config.epsilon = static_cast<float>(json.number("layer_norm_epsilon", 0, 1, 1e-5));
  config.activation = read_activation(json, "activation_function", "gelu_new");
  config.position_rows = config.max_tokens;
  for (LayerPlan& layer : config.layers) layer.forward = 0;
  return config;
}

Names gpt2_names(const Json&, const Config&) {
  const std::string layer = "h.{}.";
  return {.tokens = "wte.weight",
          .positions = "wpe.weight",
          .final_norm = "ln_f",
          .attention_norm = layer + "ln_1",
          .mlp_norm = layer + "ln_2",
          .qkv = layer + "attn.c_attn",
          .out = layer + "attn.c_proj",
          .up = layer + "mlp.c_fc",
          .down = layer + "mlp.c_proj",
          .transposed = true,
          .prefixes = {"transformer."},
          .unused = {"lm_head.*", "*.attn.bias", "*.attn.masked_bias"}};
}

}  // namespace

extern const Architecture kGpt2{"gpt2", gpt2_config, gpt2_names};

}  // namespace kith::encode
