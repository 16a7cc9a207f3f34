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

#include "encode/late_interaction.h"
#include "encode/thinking.h"
#include "json/json.h"
#include "kith/control.h"
#include "kith/tokenizer.h"
#include "learn/loss/maxsim.h"
#include "learn/nn/concept_head.h"
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

// A model that gives a vector for each token, compared by MaxSim (encode/late_interaction.h).
struct LateInteractionOptions {
  std::size_t query_tokens = 32, document_tokens = 180;  // texts are cut to; ColBERT's and PyLate's
  bool query_expansion = false;   // queries are filled up to query_tokens by mask tokens
  bool skip_punctuation = false;  // of documents
  // Tokens "[Q] " and "[D] " stand before texts, unless the model has prompts "query" or
  // "document"; they join the vocabulary. Not of static models.
  bool markers = true;
};

// Of which of the two sides a text is.
enum class TextRole { query, document };

struct TextModelOptions {
  std::string base;  // a model's folder; empty: from scratch
  ArchitectureOptions architecture;
  // In place of what the folder says.
  std::optional<PoolerOptions> pooling;
  std::optional<bool> causal, normalize;
  std::int64_t dim =
      0;  // of a dense layer behind the pooling, without activation; 0: none is added, but one of
          // kTokenDim where a transformer becomes a late-interaction model
  std::optional<LoraOptions> lora;
  std::optional<ThinkingOptions> thinking;
  std::optional<LateInteractionOptions> late_interaction;
  std::optional<ConceptOptions> concepts;     // dimensions with names, behind what else there is
  std::optional<PositionsOptions> positions;  // nothing but its new rows is trained then
  bool norm_every_layer = false;  // with norms in front, each layer's state passes the final norm
  std::map<std::string, std::string> prompts;
  std::string default_prompt;
};

inline constexpr std::int64_t kTokenDim = 128;  // ColBERT's

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
  // Set for a model of tokens' vectors; dim() is theirs, and embed() and vectors() are refused.
  const std::optional<encode::LateInteraction>& late_interaction() const;

  // Of a model whose dimensions have names; else null. dim() is their number.
  const ConceptHead* concepts() const;

  // What is trained, by names that are the folder's: "transformer.", "pooling.", "dense.0.",
  // "concepts." ...
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

  // The same of one side of a late-interaction model, which has lengths for each and may add tokens
  // to queries. Of other models the side is of no concern.
  Texts tokenize(TextRole role, std::span<const std::string_view> texts, const std::string& prompt,
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
  // Of a model with concepts, what its head makes of the texts (ConceptHead::evidence), from which
  // raw_vectors() follow, and the vectors of that as vectors() gives them.
  at::Tensor evidence(const std::vector<at::Tensor>& states, std::size_t layer,
                      const Tokens& tokens) const;
  at::Tensor vectors_of(const at::Tensor& evidence) const;

  // Of a late-interaction model the vectors of all tokens, of length 1: [N, dim()].
  at::Tensor token_vectors(const std::vector<at::Tensor>& states, std::size_t layer) const;
  // As sets, those that are compared: of documents without skipped tokens, unless these are all.
  TokenSets sets_of(TextRole role, const at::Tensor& vectors, const Tokens& tokens) const;
  // The same of texts, without gradients, on the CPU.
  TokenSets embed_tokens(TextRole role, std::span<const std::string_view> texts,
                         const std::string& prompt, const Control& control,
                         std::size_t most = 0) const;

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
