// Random tiny models of every architecture, in the variants whose settings change what is computed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "encode/reference.h"
#include "encode/test_checkpoint.h"

namespace kith::encode {

inline constexpr std::size_t kVocabulary = 97;

inline Checkpoint tiny_bert(const std::string& type, const std::string& variant = "") {
  Checkpoint c;
  constexpr std::size_t kWidth = 36, kHeads = 3, kHidden = 50, kLayers = 3, kPositions = 420;
  const bool alibi = variant == "alibi";
  c.config = {{"model_type", type},
              {"vocab_size", kVocabulary},
              {"hidden_size", kWidth},
              {"num_hidden_layers", kLayers},
              {"num_attention_heads", kHeads},
              {"intermediate_size", kHidden},
              {"hidden_act", variant == "relu" ? "relu" : "gelu"},
              {"max_position_embeddings", kPositions},
              {"type_vocab_size", 2},
              {"layer_norm_eps", 1e-12},
              {"pad_token_id", 1}};
  if (alibi) c.config["position_embedding_type"] = "alibi";
  if (alibi) c.config["feed_forward_type"] = "geglu";
  c.add("embeddings.word_embeddings.weight", {kVocabulary, kWidth}, 1);
  c.add("embeddings.token_type_embeddings.weight", {2, kWidth}, 1);
  if (!alibi) c.add("embeddings.position_embeddings.weight", {kPositions, kWidth}, 1);
  c.add_norm("embeddings.LayerNorm", kWidth);
  for (std::size_t l = 0; l < kLayers; ++l) {
    const std::string layer = "encoder.layer." + std::to_string(l) + ".";
    for (const char* part : {"query", "key", "value"}) {
      c.add_linear(layer + "attention.self." + part, kWidth, kWidth);
    }
    c.add_linear(layer + "attention.output.dense", kWidth, kWidth);
    c.add_norm(layer + "attention.output.LayerNorm", kWidth);
    if (alibi) {
      c.add_linear(layer + "mlp.gated_layers", 2 * kHidden, kWidth, false);
      c.add_linear(layer + "mlp.wo", kWidth, kHidden);
      c.add_norm(layer + "mlp.layernorm", kWidth);
    } else {
      c.add_linear(layer + "intermediate.dense", kHidden, kWidth);
      c.add_linear(layer + "output.dense", kWidth, kHidden);
      c.add_norm(layer + "output.LayerNorm", kWidth);
    }
  }
  c.add_linear("pooler.dense", kWidth, kWidth);  // in most files, and of no use
  return c;
}

inline Checkpoint tiny_mpnet() {
  Checkpoint c;
  constexpr std::size_t kWidth = 32, kHeads = 4, kHidden = 40, kLayers = 2, kPositions = 420;
  c.config = {{"model_type", "mpnet"},         {"vocab_size", kVocabulary},
              {"hidden_size", kWidth},         {"num_hidden_layers", kLayers},
              {"num_attention_heads", kHeads}, {"intermediate_size", kHidden},
              {"hidden_act", "gelu"},          {"max_position_embeddings", kPositions},
              {"layer_norm_eps", 1e-5},        {"relative_attention_num_buckets", 32}};
  c.add("embeddings.word_embeddings.weight", {kVocabulary, kWidth}, 1);
  c.add("embeddings.position_embeddings.weight", {kPositions, kWidth}, 1);
  c.add_norm("embeddings.LayerNorm", kWidth);
  c.add("encoder.relative_attention_bias.weight", {32, kHeads}, 2);
  for (std::size_t l = 0; l < kLayers; ++l) {
    const std::string layer = "encoder.layer." + std::to_string(l) + ".";
    for (const char* part : {"q", "k", "v", "o"}) {
      c.add_linear(layer + "attention.attn." + part, kWidth, kWidth);
    }
    c.add_norm(layer + "attention.LayerNorm", kWidth);
    c.add_linear(layer + "intermediate.dense", kHidden, kWidth);
    c.add_linear(layer + "output.dense", kWidth, kHidden);
    c.add_norm(layer + "output.LayerNorm", kWidth);
  }
  return c;
}

inline Checkpoint tiny_use_lite() {
  Checkpoint c;
  constexpr std::size_t kNarrow = 20, kWidth = 36, kHeads = 2, kHidden = 50, kLayers = 3;
  constexpr std::size_t kPositions = 420;
  c.config = {{"model_type", "use_lite"},
              {"vocab_size", kVocabulary},
              {"embedding_size", kNarrow},
              {"hidden_size", kWidth},
              {"num_hidden_layers", kLayers},
              {"num_attention_heads", kHeads},
              {"intermediate_size", kHidden},
              {"hidden_act", "relu"},
              {"max_position_embeddings", kPositions},
              {"layer_norm_eps", 1e-6}};
  c.add("tokens.weight", {kVocabulary, kNarrow}, 1);
  c.add("positions.weight", {kPositions, kNarrow}, 1);
  c.add_linear("projection", kWidth, kNarrow);
  for (std::size_t l = 0; l < kLayers; ++l) {
    const std::string layer = "layers." + std::to_string(l) + ".";
    const std::size_t in = l == 0 ? kNarrow : kWidth;
    c.add_norm(layer + "attention_norm", in);
    c.add_linear(layer + "attention.qkv", 3 * in, in);
    c.add_linear(layer + "attention.out", kWidth, in);
    c.add_norm(layer + "mlp_norm", kWidth);
    c.add_linear(layer + "mlp.up", kHidden, kWidth);
    c.add_linear(layer + "mlp.down", kWidth, kHidden);
  }
  return c;
}

inline Checkpoint tiny_modernbert(bool biases) {
  Checkpoint c;
  constexpr std::size_t kWidth = 32, kHeads = 2, kHidden = 36, kLayers = 4;
  c.config = {{"model_type", "modernbert"},
              {"vocab_size", kVocabulary},
              {"hidden_size", kWidth},
              {"num_hidden_layers", kLayers},
              {"num_attention_heads", kHeads},
              {"intermediate_size", kHidden},
              {"hidden_activation", "gelu"},
              {"max_position_embeddings", 8192},
              {"norm_eps", 1e-5},
              {"norm_bias", biases},
              {"attention_bias", biases},
              {"mlp_bias", biases},
              {"local_attention", 40},
              {"global_attn_every_n_layers", 3},
              {"global_rope_theta", 160000.0},
              {"local_rope_theta", 10000.0}};
  c.add("embeddings.tok_embeddings.weight", {kVocabulary, kWidth}, 1);
  c.add_norm("embeddings.norm", kWidth, biases);
  c.add_norm("final_norm", kWidth, biases);
  for (std::size_t l = 0; l < kLayers; ++l) {
    const std::string layer = "layers." + std::to_string(l) + ".";
    if (l != 0) c.add_norm(layer + "attn_norm", kWidth, biases);
    c.add_linear(layer + "attn.Wqkv", 3 * kWidth, kWidth, biases);
    c.add_linear(layer + "attn.Wo", kWidth, kWidth, biases);
    c.add_norm(layer + "mlp_norm", kWidth, biases);
    c.add_linear(layer + "mlp.Wi", 2 * kHidden, kWidth, biases);
    c.add_linear(layer + "mlp.Wo", kWidth, kHidden, biases);
  }
  return c;
}

inline Checkpoint tiny_nomic(const std::string& activation, double fraction, bool interleaved) {
  Checkpoint c;
  constexpr std::size_t kWidth = 48, kHeads = 3, kHidden = 40, kLayers = 2, kPositions = 512;
  c.config = {{"model_type", "nomic_bert"},
              {"vocab_size", kVocabulary},
              {"n_embd", kWidth},
              {"n_layer", kLayers},
              {"n_head", kHeads},
              {"n_inner", kHidden},
              {"n_positions", kPositions},
              {"type_vocab_size", 2},
              {"layer_norm_epsilon", 1e-12},
              {"activation_function", activation},
              {"rotary_emb_fraction", fraction},
              {"rotary_emb_base", 1000.0},
              {"rotary_emb_interleaved", interleaved},
              {"rotary_emb_scale_base", nullptr},
              {"qkv_proj_bias", false},
              {"mlp_fc1_bias", false},
              {"mlp_fc2_bias", false}};
  c.add("embeddings.word_embeddings.weight", {kVocabulary, kWidth}, 1);
  c.add("embeddings.token_type_embeddings.weight", {2, kWidth}, 1);
  if (fraction == 0) c.add("embeddings.position_embeddings.weight", {kPositions, kWidth}, 1);
  c.add_norm("emb_ln", kWidth);
  for (std::size_t l = 0; l < kLayers; ++l) {
    const std::string layer = "encoder.layers." + std::to_string(l) + ".";
    c.add_linear(layer + "attn.Wqkv", 3 * kWidth, kWidth, false);
    c.add_linear(layer + "attn.out_proj", kWidth, kWidth, false);
    c.add_norm(layer + "norm1", kWidth);
    c.add_norm(layer + "norm2", kWidth);
    if (activation == "gelu") {
      c.add_linear(layer + "mlp.fc1", kHidden, kWidth, false);
    } else {
      c.add_linear(layer + "mlp.fc11", kHidden, kWidth, false);
      c.add_linear(layer + "mlp.fc12", kHidden, kWidth, false);
    }
    c.add_linear(layer + "mlp.fc2", kWidth, kHidden, false);
  }
  return c;
}

inline Checkpoint tiny_gpt2() {
  Checkpoint c;
  constexpr std::size_t kWidth = 32, kHeads = 4, kLayers = 3, kPositions = 420;
  c.config = {{"model_type", "gpt2"},      {"vocab_size", kVocabulary},
              {"n_embd", kWidth},          {"n_layer", kLayers},
              {"n_head", kHeads},          {"n_positions", kPositions},
              {"n_inner", nullptr},        {"activation_function", "gelu_new"},
              {"layer_norm_epsilon", 1e-5}};
  c.add("wte.weight", {kVocabulary, kWidth}, 1);
  c.add("wpe.weight", {kPositions, kWidth}, 1);
  c.add_norm("ln_f", kWidth);
  for (std::size_t l = 0; l < kLayers; ++l) {
    const std::string layer = "h." + std::to_string(l) + ".";
    c.add_norm(layer + "ln_1", kWidth);
    c.add_norm(layer + "ln_2", kWidth);
    c.add_linear(layer + "attn.c_attn", 3 * kWidth, kWidth, true, true);
    c.add_linear(layer + "attn.c_proj", kWidth, kWidth, true, true);
    c.add_linear(layer + "mlp.c_fc", 4 * kWidth, kWidth, true, true);
    c.add_linear(layer + "mlp.c_proj", kWidth, 4 * kWidth, true, true);
    c.add(layer + "attn.bias", {1, 1, 8, 8}, 0, 1);  // a mask that old files carry
  }
  return c;
}

inline Checkpoint tiny_llama(const std::string& type, const nlohmann::json& more = {}) {
  Checkpoint c;
  constexpr std::size_t kWidth = 40, kHeads = 4, kKv = 2, kHidden = 56, kLayers = 3;
  const std::size_t dim = type == "qwen3" ? 16 : kWidth / kHeads;
  c.config = {{"model_type", type},
              {"vocab_size", kVocabulary},
              {"hidden_size", kWidth},
              {"num_hidden_layers", kLayers},
              {"num_attention_heads", kHeads},
              {"num_key_value_heads", kKv},
              {"intermediate_size", kHidden},
              {"hidden_act", "silu"},
              {"max_position_embeddings", 4096},
              {"rms_norm_eps", 1e-6},
              {"rope_theta", 10000.0}};
  if (type == "qwen3") c.config["head_dim"] = dim;
  if (type == "mistral") c.config["sliding_window"] = nullptr;
  if (more.is_object()) c.config.update(more);
  const bool all_biases = c.config.value("attention_bias", false);
  c.add("embed_tokens.weight", {kVocabulary, kWidth}, 1);
  c.add_norm("norm", kWidth, false);
  for (std::size_t l = 0; l < kLayers; ++l) {
    const std::string layer = "layers." + std::to_string(l) + ".", self = layer + "self_attn.";
    c.add_norm(layer + "input_layernorm", kWidth, false);
    c.add_norm(layer + "post_attention_layernorm", kWidth, false);
    c.add_linear(self + "q_proj", kHeads * dim, kWidth, all_biases || type == "qwen2");
    c.add_linear(self + "k_proj", kKv * dim, kWidth, all_biases || type == "qwen2");
    c.add_linear(self + "v_proj", kKv * dim, kWidth, all_biases || type == "qwen2");
    c.add_linear(self + "o_proj", kWidth, kHeads * dim, all_biases);
    if (type == "qwen3") c.add_norm(self + "q_norm", dim, false);
    if (type == "qwen3") c.add_norm(self + "k_norm", dim, false);
    c.add_linear(layer + "mlp.gate_proj", kHidden, kWidth, false);
    c.add_linear(layer + "mlp.up_proj", kHidden, kWidth, false);
    c.add_linear(layer + "mlp.down_proj", kWidth, kHidden, false);
  }
  return c;
}

struct TestModel {
  std::string name;
  std::function<Checkpoint()> make;
  std::function<std::vector<reference::Rows>(const Checkpoint&, const reference::Text&)> run;
};

inline void PrintTo(const TestModel& model, std::ostream* out) { *out << model.name; }

inline std::vector<TestModel> test_models() {
  const auto scaled = [](nlohmann::json scaling, std::size_t positions) {
    return [=] {
      return tiny_llama("llama",
                        {{"rope_scaling", scaling}, {"max_position_embeddings", positions}});
    };
  };
  using nlohmann::json;
  return {
      {"Bert", [] { return tiny_bert("bert"); }, reference::bert},
      {"BertWithRelu", [] { return tiny_bert("bert", "relu"); }, reference::bert},
      {"BertWithAlibiAndGeglu", [] { return tiny_bert("bert", "alibi"); }, reference::bert},
      {"Roberta", [] { return tiny_bert("roberta"); }, reference::bert},
      {"XlmRoberta", [] { return tiny_bert("xlm-roberta"); }, reference::bert},
      {"Mpnet", [] { return tiny_mpnet(); }, reference::mpnet},
      {"UseLite", [] { return tiny_use_lite(); }, reference::use_lite},
      {"ModernBert", [] { return tiny_modernbert(false); }, reference::modernbert},
      {"ModernBertWithBiases", [] { return tiny_modernbert(true); }, reference::modernbert},
      {"NomicBert", [] { return tiny_nomic("swiglu", 1, false); }, reference::nomic},
      {"NomicBertInterleaved", [] { return tiny_nomic("geglu", 0.5, true); }, reference::nomic},
      {"NomicBertWithoutRotary", [] { return tiny_nomic("gelu", 0, false); }, reference::nomic},
      {"Gpt2", [] { return tiny_gpt2(); }, reference::gpt2},
      {"Llama", [] { return tiny_llama("llama"); }, reference::llama},
      {"LlamaWithBiases",
       [] {
         return tiny_llama("llama", {{"attention_bias", true}});
       },
       reference::llama},
      {"LlamaLinear", scaled({{"type", "linear"}, {"factor", 4.0}}, 400), reference::llama},
      {"LlamaDynamic", scaled({{"rope_type", "dynamic"}, {"factor", 2.0}}, 200), reference::llama},
      {"LlamaYarn",
       scaled({{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 100}},
              400),
       reference::llama},
      {"Llama3",
       scaled({{"rope_type", "llama3"},
               {"factor", 8.0},
               {"low_freq_factor", 1.0},
               {"high_freq_factor", 4.0},
               {"original_max_position_embeddings", 64}},
              400),
       reference::llama},
      {"Mistral", [] { return tiny_llama("mistral"); }, reference::llama},
      {"MistralWithAWindow",
       [] {
         return tiny_llama("mistral", {{"sliding_window", 17}});
       },
       reference::llama},
      {"Qwen2", [] { return tiny_llama("qwen2"); }, reference::llama},
      {"Qwen2WithAWindow",
       [] {
         return tiny_llama(
             "qwen2",
             {{"use_sliding_window", true}, {"sliding_window", 23}, {"max_window_layers", 1}});
       },
       reference::llama},
      {"Qwen3", [] { return tiny_llama("qwen3"); }, reference::llama},
  };
}

}  // namespace kith::encode
