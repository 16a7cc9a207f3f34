// What a TextModel holds: its parts as they are read, begun and changed, and how they are written.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "encode/late_interaction.h"
#include "encode/modules.h"
#include "encode/prompted_texts.h"
#include "encode/thinking.h"
#include "learn/nn/text_model.h"
#include "simd/kernels.h"

namespace kith::learn {

struct DenseHead {
  at::Tensor weight, bias;
  simd::Activation activation = simd::Activation::identity;
  bool has_bias = true;
};

struct TextModel::State {
  State(const TextModelOptions& options, std::uint64_t seed);

  std::string base, tokenizer_json;
  std::optional<Tokenizer> tokenizer;
  nlohmann::json config;
  std::optional<Transformer> transformer;
  std::unique_ptr<Pooler> pooler;
  std::vector<DenseHead> dense;
  bool normalize = true;
  std::size_t max_tokens = 0;
  encode::Prompts prompts;
  std::optional<encode::Thinking> thinking;
  std::string thinking_json;  // the folder's file
  std::optional<encode::LateInteraction> late;
  std::optional<ConceptHead> concepts;
  at::Tensor skipped;  // int64: ids of tokens that documents leave out
  Parameters lora, positions;

  bool causal() const;
  bool is_static() const { return transformer->layers() == 0; }
  std::int64_t dim() const { return concepts ? concepts->size() : pooled_dim(); }
  // Of what heads with gradients make of the pooled states.
  std::int64_t pooled_dim() const {
    return dense.empty() ? pooler->dim() : dense.back().weight.size(0);
  }
  bool norms_every_layer() const { return config.value("norm_every_layer", false); }

 private:
  void read_folder(const std::string& folder);
  void read_static(const encode::Modules& modules);
  void read_modules(const encode::Modules& modules);
  void read_heads(const encode::Modules& modules);
  void start(const ArchitectureOptions& options, std::uint64_t seed);
  void change(const TextModelOptions& options, std::uint64_t seed);
  void set_causal(bool wanted);
  void add_thinking(const ThinkingOptions& options, std::uint64_t seed);
  void become_late(const LateInteractionOptions& options, std::uint64_t seed);
  void add_markers(std::uint64_t seed);
  void find_skipped();
  void add_positions(const PositionsOptions& options);
  void replace(const encode::Config& sizes, const std::string& name, const at::Tensor& tensor);
  void add_tokens(const std::vector<std::string>& tokens, std::uint64_t seed);
  void add_dense(std::int64_t outputs, bool bias, std::uint64_t seed);
  void add_concepts(const ConceptOptions& options);
  void expect_own_heads(const TextModelOptions& options) const;

 public:
  at::Tensor through_heads(at::Tensor x) const;
  // What concepts are read from, or vectors but for their length; and vectors.
  at::Tensor pooled(const std::vector<at::Tensor>& states, std::size_t layer,
                    const Tokens& tokens) const;
  at::Tensor normalised(const at::Tensor& raw) const;
  // Return how modules.json lists what they have written.
  std::vector<encode::Module> write_static(const encode::NewFolder& folder) const;
  std::vector<encode::Module> write_transformer(const encode::NewFolder& folder,
                                                const Extras& extras) const;
};

}  // namespace kith::learn
