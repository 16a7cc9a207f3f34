// Universal Sentence Encoder "lite" (Cer et al., 2018) as kith writes it: a pre-norm transformer
// whose token vectors and first attention are narrower than its state. Import makes the tables of
// tokens and positions such that what a token starts with is just their sum (import_use_lite.cc).
#include "encode/architecture.h"

namespace kith::encode {
namespace {

Config use_lite_config(const Json& json) {
  Config config = common_config(json);
  config.embedding_width = json.whole("embedding_size", 1, config.width);
  if (config.embedding_width % config.heads != 0) {
    json.refuse("embedding_size", "a multiple of num_attention_heads");
  }
  // A first layer as wide as the others is no different from them.
  if (config.embedding_width == config.width) {
    json.refuse("embedding_size", "less than hidden_size", ErrorCode::unsupported);
  }
  config.pre_norm = true;
  config.epsilon = static_cast<float>(json.number("layer_norm_eps", 0, 1, 1e-6));
  config.activation = read_activation(json, "hidden_act", "relu");
  config.position_rows = config.max_tokens;
  return config;
}

Names use_lite_names(const Json&, const Config&) {
  const std::string layer = "layers.{}.";
  return {.tokens = "tokens.weight",
          .positions = "positions.weight",
          .projection = "projection",
          .attention_norm = layer + "attention_norm",
          .mlp_norm = layer + "mlp_norm",
          .qkv = layer + "attention.qkv",
          .out = layer + "attention.out",
          .up = layer + "mlp.up",
          .down = layer + "mlp.down",
          .prefixes = {},
          .unused = {}};
}

}  // namespace

extern const Architecture kUseLite{"use_lite", use_lite_config, use_lite_names};

}  // namespace kith::encode
