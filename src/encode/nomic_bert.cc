// Nomic-BERT (Nussbaum et al., 2024): BERT with rotary positions, gated feed-forward layers and no
// biases, under GPT-2's names of settings.
#include "encode/architecture.h"

namespace kith::encode {
namespace {

Config nomic_config(const Json& json) {
  for (const char* key : {"prenorm", "causal", "parallel_block", "use_rms_norm"}) {
    if (json.boolean(key, false)) json.refuse(key, "false", ErrorCode::unsupported);
  }
  for (const char* key : {"rotary_emb_scale_base", "rotary_scaling_factor"}) {
    if (json.has(key)) json.refuse(key, "null", ErrorCode::unsupported);
  }
  Config config = gpt_config(json);
  config.types = json.whole("type_vocab_size", 0, 1 << 16, 2);
  config.epsilon = static_cast<float>(json.number("layer_norm_epsilon", 0, 1, 1e-12));
  config.embedding_norm = true;
  config.qkv_bias = config.out_bias = json.boolean("qkv_proj_bias", true);
  config.up_bias = json.boolean("mlp_fc1_bias", true);
  config.down_bias = json.boolean("mlp_fc2_bias", true);
  const std::string activation = json.text("activation_function", "gelu");
  config.gated = activation == "swiglu" || activation == "geglu";
  if (config.gated) {
    config.activation = activation == "swiglu" ? Activation::silu : Activation::gelu;
  } else {
    config.activation = read_activation(json, "activation_function", "gelu");
  }
  const double part = json.number("rotary_emb_fraction", 0, 1, 0);
  if (part == 0) {
    config.position_rows = config.max_tokens;
    return config;
  }
  Rotary rotary;
  rotary.dims = static_cast<std::size_t>(static_cast<double>(config.head_dim) * part);
  if (rotary.dims < 2 || rotary.dims % 2 != 0) {
    json.refuse("rotary_emb_fraction", "an even number of rotated dimensions");
  }
  rotary.theta = json.number("rotary_emb_base", 1, 1e12, 10000);
  rotary.interleaved = json.boolean("rotary_emb_interleaved", false);
  rotary.trained = config.max_tokens;
  config.rotary = {rotary};
  for (LayerPlan& layer : config.layers) layer.rotary = 0;
  return config;
}

Names nomic_names(const Json&, const Config& config) {
  const std::string layer = "encoder.layers.{}.";
  Names names{.tokens = "embeddings.word_embeddings.weight",
              .embedding_norm = "emb_ln",
              .attention_norm = layer + "norm1",
              .mlp_norm = layer + "norm2",
              .qkv = layer + "attn.Wqkv",
              .out = layer + "attn.out_proj",
              .down = layer + "mlp.fc2",
              .prefixes = {"bert."},
              .unused = {"pooler.*", "cls.*", "classifier.*", "*.inv_freq", "*.position_ids"}};
  if (config.position_rows != 0) names.positions = "embeddings.position_embeddings.weight";
  if (config.types != 0) names.types = "embeddings.token_type_embeddings.weight";
  if (config.gated) {
    names.up = layer + "mlp.fc11";
    names.gate = layer + "mlp.fc12";
  } else {
    names.up = layer + "mlp.fc1";
  }
  return names;
}

}  // namespace

extern const Architecture kNomicBert{"nomic_bert", nomic_config, nomic_names};

}  // namespace kith::encode
