// BERT (Devlin et al., 2019) and what shares its tensors: MiniLM, E5, BGE and GTE; with ALiBi and
// GEGLU also Jina's embedding models; RoBERTa and XLM-R, which count positions from behind padding.
#include "encode/architecture.h"

namespace kith::encode {
namespace {

bool is_gated(const Json& json) {
  json.expect_text("feed_forward_type", {"original", "geglu", "reglu"});
  return json.text("feed_forward_type", "original") != "original";
}

Config bert_config(const Json& json) {
  Config config = common_config(json);
  if (json.boolean("is_decoder", false)) json.refuse("is_decoder", "false", ErrorCode::unsupported);
  json.expect_text("position_embedding_type", {"absolute", "alibi"});
  config.types = json.whole("type_vocab_size", 0, 1 << 16, 2);
  config.epsilon = static_cast<float>(json.number("layer_norm_eps", 0, 1, 1e-12));
  config.activation = read_activation(json, "hidden_act", "gelu");
  config.embedding_norm = true;
  if (json.text("position_embedding_type", "absolute") == "alibi") {
    config.distance_bias = DistanceBias::alibi;
  } else {
    config.position_rows = config.max_tokens;
  }
  if (is_gated(json)) {
    config.gated = true;
    config.up_bias = false;
    config.activation =
        json.text("feed_forward_type") == "geglu" ? Activation::gelu : Activation::relu;
  }
  return config;
}

Config roberta_config(const Json& json) {
  Config config = bert_config(json);
  if (config.position_rows == 0) {
    json.refuse("position_embedding_type", "absolute", ErrorCode::unsupported);
  }
  const std::size_t pad = json.whole("pad_token_id", 0, config.vocabulary - 1, 1);
  if (config.max_tokens <= pad + 1) {
    json.refuse("max_position_embeddings", "more than pad_token_id + 1");
  }
  config.unpositioned = static_cast<std::uint32_t>(pad);
  config.position_offset = pad + 1;
  config.max_tokens -= pad + 1;
  return config;
}

Names bert_names(const Json& json, const Config& config) {
  const std::string layer = "encoder.layer.{}.";
  Names names{.tokens = "embeddings.word_embeddings.weight",
              .embedding_norm = "embeddings.LayerNorm",
              .attention_norm = layer + "attention.output.LayerNorm",
              .mlp_norm = layer + "output.LayerNorm",
              .query = layer + "attention.self.query",
              .key = layer + "attention.self.key",
              .value = layer + "attention.self.value",
              .out = layer + "attention.output.dense",
              .up = layer + "intermediate.dense",
              .down = layer + "output.dense",
              .prefixes = {"bert.", "roberta."},
              .unused = {"pooler.*", "cls.*", "lm_head.*", "classifier.*", "*.position_ids",
                         "*.token_type_ids"}};
  if (config.position_rows != 0) names.positions = "embeddings.position_embeddings.weight";
  if (config.types != 0) names.types = "embeddings.token_type_embeddings.weight";
  if (is_gated(json)) {
    names.up.clear();
    names.gate_up = layer + "mlp.gated_layers";
    names.down = layer + "mlp.wo";
    names.mlp_norm = layer + "mlp.layernorm";
  }
  return names;
}

}  // namespace

extern const Architecture kBert{"bert", bert_config, bert_names};
extern const Architecture kRoberta{"roberta", roberta_config, bert_names};
extern const Architecture kXlmRoberta{"xlm-roberta", roberta_config, bert_names};

}  // namespace kith::encode
