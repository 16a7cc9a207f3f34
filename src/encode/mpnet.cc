// MPNet (Song et al., 2020): BERT with relative positions in buckets beside the learned ones.
#include "encode/architecture.h"

namespace kith::encode {
namespace {

constexpr std::size_t kPad = 1;  // fixed in the published model, whatever pad_token_id says

Config mpnet_config(const Json& json) {
  Config config = common_config(json);
  config.epsilon = static_cast<float>(json.number("layer_norm_eps", 0, 1, 1e-12));
  config.activation = read_activation(json, "hidden_act", "gelu");
  config.embedding_norm = true;
  if (config.max_tokens <= kPad + 1) json.refuse("max_position_embeddings", "more than 2");
  config.position_rows = config.max_tokens;
  config.unpositioned = kPad;
  config.position_offset = kPad + 1;
  config.max_tokens -= kPad + 1;
  config.distance_bias = DistanceBias::buckets;
  config.buckets = json.whole("relative_attention_num_buckets", 4, 1 << 12, 32);
  if (config.buckets % 4 != 0) {
    json.refuse("relative_attention_num_buckets", "a multiple of 4", ErrorCode::unsupported);
  }
  return config;
}

Names mpnet_names(const Json&, const Config&) {
  const std::string layer = "encoder.layer.{}.";
  return {.tokens = "embeddings.word_embeddings.weight",
          .positions = "embeddings.position_embeddings.weight",
          .embedding_norm = "embeddings.LayerNorm",
          .relative_bias = "encoder.relative_attention_bias.weight",
          .attention_norm = layer + "attention.LayerNorm",
          .mlp_norm = layer + "output.LayerNorm",
          .query = layer + "attention.attn.q",
          .key = layer + "attention.attn.k",
          .value = layer + "attention.attn.v",
          .out = layer + "attention.attn.o",
          .up = layer + "intermediate.dense",
          .down = layer + "output.dense",
          .prefixes = {"mpnet."},
          .unused = {"pooler.*", "lm_head.*", "classifier.*", "*.position_ids"}};
}

}  // namespace

extern const Architecture kMpnet{"mpnet", mpnet_config, mpnet_names};

}  // namespace kith::encode
