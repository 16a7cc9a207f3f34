// The encoder's transformer (src/encode/transformer.h) with gradients: the same config, the same
// published names of tensors, the same hidden states to 1e-4.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "encode/architecture.h"
#include "encode/config.h"
#include "encode/tensor_store.h"
#include "learn/nn/blocks.h"
#include "learn/nn/parameters.h"
#include "learn/nn/tokens.h"

namespace kith::learn {

struct ForwardOptions {
  bool training = false;  // with dropout
  double dropout = 0;     // of embeddings and of what blocks add, in training
  double attention_dropout = 0;
  std::uint64_t seed = 0;  // of what is dropped
};

// A low-rank change of dense layers, which alone are trained then.
struct LoraOptions {
  std::int64_t rank = 16;
  double alpha = 32;  // the change is multiplied by alpha / rank
  double dropout = 0.1;
  std::vector<std::string> layers = {};  // ends of dense layers' names; empty: all
};

// Copies share tensors.
class Transformer {
 public:
  // Random weights as BERT and GPT-2 start: N(0, 0.02), norms 1 and 0, biases 0, and with norms
  // in front of blocks what is added to the state by a factor of 1 / sqrt(2 layers) smaller.
  static Transformer random(const encode::Config& config, const encode::Names& names,
                            std::uint64_t seed);
  // Throws what TensorStore::read does.
  static Transformer read(const encode::TensorStore& store, const encode::Config& config,
                          const encode::Names& names);

  // `parameters`: what list_tensors() lists.
  Transformer(encode::Config config, encode::Names names, Parameters parameters);

  const encode::Config& config() const { return config_; }
  const encode::Names& names() const { return names_; }
  // By published name, without prefix.
  const Parameters& parameters() const { return parameters_; }

  // The state of every token, [N, width], behind the embeddings (element 0) and behind each of the
  // first `layers` layers. As in transformers' `hidden_states`, the model's final norm, if any, is
  // applied to the last layer's only; final_norm() does it to others.
  std::vector<at::Tensor> states(const Tokens& tokens, std::size_t layers,
                                 const ForwardOptions& options = {}) const;
  // The same from other embeddings, [N, width], in place of the tokens' (element 0).
  std::vector<at::Tensor> states_of(const at::Tensor& embedded, const Tokens& tokens,
                                    const ForwardOptions& options = {}) const;
  // The last layer's state before the model's final norm.
  at::Tensor raw_state(const Tokens& tokens, const ForwardOptions& options = {}) const;
  // What tokens' vectors, positions and segments add up to, [N, width or embedding_width].
  at::Tensor embed(const Tokens& tokens, const ForwardOptions& options = {}) const;
  at::Tensor final_norm(const at::Tensor& state) const;
  std::size_t layers() const { return config_.layers.size(); }

  // Whether tokens see those behind them. Throws invalid_argument when a causal model is to look
  // both ways and has windows, or the other way round.
  void set_causal(bool causal);

  // Adds changes, with b = 0: states stay the same at first. Returns what they are made of, by
  // name. Throws invalid_argument when no layer has such a name.
  Parameters add_lora(const LoraOptions& options, std::uint64_t seed);
  // Trains nothing but some rows of the table of positions, int64 numbers; returns their values, by
  // name. In training each text stands anywhere in the table then, as long ones do (LongEmbed).
  Parameters train_positions(const at::Tensor& rows);
  // parameters(), with the changes where there are any.
  Parameters merged() const;

 private:
  struct Layer {
    Normalisation attention_norm, mlp_norm, query_norm, key_norm;
    Linear qkv, query, key, value, out, gate_up, gate, up, down;
  };

  void bind();
  void bind_layer(std::size_t number);
  std::vector<std::pair<std::string, Linear*>> dense_layers();
  std::vector<std::pair<std::string, const Linear*>> dense_layers() const;
  Linear linear(const std::string& name, std::size_t layer, bool bias) const;
  Normalisation norm(const std::string& name, std::size_t layer, bool shift) const;
  at::Tensor bias_of(std::int64_t longest) const;
  at::Tensor positions() const;
  at::Tensor position_rows(const Tokens& tokens, const ForwardOptions& options) const;

  encode::Config config_;
  encode::Names names_;
  Parameters parameters_;
  at::Tensor tokens_, positions_, types_, bucket_bias_;
  at::Tensor trained_rows_, trained_positions_;  // of the table, which has others there
  Normalisation embedding_norm_, final_norm_;
  Linear projection_;
  std::vector<Layer> layers_;

  friend class TransformerForward;
};

// The prefix of names in a file of this model, such as "bert."; empty: none.
std::string prefix_of(const encode::TensorStore& store, const encode::Names& names);

}  // namespace kith::learn
