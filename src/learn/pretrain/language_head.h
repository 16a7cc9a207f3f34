// From a transformer's states to scores of the vocabulary's tokens, under the names of published
// checkpoints: BertForMaskedLM, LlamaForCausalLM and so on.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "learn/nn/blocks.h"
#include "learn/nn/parameters.h"
#include "learn/nn/text_model.h"

namespace kith::learn {

class LanguageHead {
 public:
  // Of bert, roberta, xlm-roberta, mpnet and modernbert: a dense layer, activation and norm in
  // front of the table of tokens' vectors, and a bias. Read from the model's folder where that has
  // them, else new: the layer N(0, 0.02). Throws unsupported, naming the type, for other models.
  static LanguageHead masked(const TextModel& model, std::uint64_t seed);
  // Of gpt2, llama, mistral, qwen2 and qwen3: the table of tokens' vectors, or one of its own where
  // the folder has one. Throws unsupported for other models, invalid_argument for one whose tokens
  // see those behind them.
  static LanguageHead causal(const TextModel& model);

  // States [n, d], d the model's width or less, of which it takes as many columns of the layer
  // then (SMAE's heads, Zhuang et al., 2024), to [n, width].
  at::Tensor transform(const at::Tensor& states) const;
  const at::Tensor& table() const { return table_; }  // [vocabulary, width]
  const at::Tensor& bias() const { return bias_; }    // [vocabulary], or undefined

  // What is the head's own.
  const Parameters& parameters() const { return parameters_; }
  // Adds it to what is saved with the model.
  void add_to(TextModel::Extras& extras) const;

 private:
  LanguageHead() = default;

  std::string prefix_, architecture_;
  Linear dense_;
  encode::Activation activation_ = encode::Activation::identity;
  Normalisation norm_;
  at::Tensor table_, bias_;
  Parameters parameters_;
};

}  // namespace kith::learn
