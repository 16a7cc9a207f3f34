// A text embedder with gradients: tokenizer, transformer, pooling and what stands behind it. Read
// from and written to the folders that `kith embed` runs.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "encode/thinking.h"
#include "json/json.h"
#include "kith/control.h"
#include "kith/tokenizer.h"
#include "learn/nn/pooler.h"
#include "learn/nn/positions.h"
#include "learn/nn/transformer.h"

namespace kith::learn {

// A transformer from scratch, or a table of tokens' vectors, whose mean stands for a text.
struct ArchitectureOptions {
  std::string type = "bert";  // a config.json's model_type, or "static" for the table
  std::int64_t layers = 6, width = 256, heads = 4, kv_heads = 0, hidden = 0;  // 0: heads, 4 width
  std::int64_t max_tokens = 512;
  std::string tokenizer;                             // its tokenizer.json
  nlohmann::json config = nlohmann::json::object();  // further settings of config.json
};

// A model that writes a thought about a query before it embeds it (encode/thinking.h).
struct ThinkingOptions {
  encode::ThinkingNames names = {};  // of tokens, which the vocabulary gains where it lacks them
  std::size_t query_tokens = 32, thought_tokens = 128;  // the authors'
};

struct TextModelOptions {
  std::string base;  // a model's folder; empty: from scratch
  ArchitectureOptions architecture;
  // In place of what the folder says.
  std::optional<PoolerOptions> pooling;
  std::optional<bool> causal, normalize;
  std::int64_t dim =
      0;  // of a dense layer behind the pooling, without activation; 0: none is added
  std::optional<LoraOptions> lora;
  std::optional<ThinkingOptions> thinking;
  std::optional<PositionsOptions> positions;  // nothing but its new rows is trained then
  bool norm_every_layer = false;  // with norms in front, each layer's state passes the final norm
  std::map<std::string, std::string> prompts;
  std::string default_prompt;
};

class TextModel {
 public:
  // Throws as Encoder::open and Tokenizer::open do, and invalid_argument for options that don't fit
  // the model, naming both.
  TextModel(const TextModelOptions& options, std::uint64_t seed);
  ~TextModel();
  TextModel(TextModel&&) noexcept;
  TextModel& operator=(TextModel&&) noexcept;

  const Tokenizer& tokenizer() const;
  Transformer& transformer();
  const Transformer& transformer() const;
  const Pooler& pooler() const;
  bool causal() const;
  std::int64_t dim() const;
  std::size_t max_tokens() const;
  const std::map<std::string, std::string>& prompts() const;
  const std::optional<encode::Thinking>& thinking() const;

  // What is trained, by names that are the folder's: "transformer.", "pooling.", "dense.0." ...
  Parameters trained() const;
  // All tensors.
  Parameters parameters() const;

  struct Texts {
    std::vector<Encoding> encodings;
    std::vector<TokenSequence> sequences;
  };
  // Cut to `max_tokens` or the model's length, whichever is less; 0: the latter.
  Texts tokenize(std::span<const std::string_view> texts, const std::string& prompt,
                 std::size_t max_tokens, const Control& control) const;

  // Vectors of the texts as the folder's modules make them, [S, dim()], from the state of `layer`.
  // `states` as of transformer().states(). At a layer before the last they are those of a model
  // that ends there.
  at::Tensor vectors(const std::vector<at::Tensor>& states, std::size_t layer,
                     const Tokens& tokens) const;
  // The same without the norm to unit length that the folder may end with.
  at::Tensor raw_vectors(const std::vector<at::Tensor>& states, std::size_t layer,
                         const Tokens& tokens) const;
  bool normalized() const;

  // The vectors of texts, without gradients: [n, dim()], on the CPU. `most`: as of tokenize().
  at::Tensor embed(std::span<const std::string_view> texts, const std::string& prompt,
                   const Control& control, std::size_t most = 0) const;

  // config.json, and the folder that the model was read from; empty: it is new.
  const nlohmann::json& config() const;
  const std::string& base() const;

  struct Extras {
    std::map<std::string, std::string> files = {};   // by name, and their content
    std::map<std::string, Parameters> tensors = {};  // safetensors files, by name
    // A head in the model's own file, as published checkpoints have it, with the class that reads
    // such a file, and what stands before the names of the transformer's tensors then.
    Parameters head = {};
    std::string prefix = {}, architecture = {};
  };
  // The same of token sequences.
  at::Tensor embed(std::span<const TokenSequence> sequences, const Control& control) const;

  // Writes the folder; throws invalid_argument when there is one. LoRA's changes are added to the
  // weights that are written.
  void save(const std::string& folder, const Extras& extras) const;
  void save(const std::string& folder) const { save(folder, Extras()); }

  void to(const at::Device& device);
  at::Device device() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kith::learn
