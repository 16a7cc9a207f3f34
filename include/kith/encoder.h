// Token sequences to vectors, by a transformer in a Hugging Face folder: `config.json`,
// `model.safetensors` (or shards and `model.safetensors.index.json`, in F32, F16 or BF16), and, of
// sentence-transformers, `modules.json` with a pooling, Dense and Normalize. Part of
// libkith-encode. docs/models.md lists the architectures and modules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kith/context.h"
#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/precision.h"

namespace kith {

struct ModelOptions {
  // Below f32 a model is smaller and faster and its vectors differ a little; `kith bench encode`
  // measures both.
  Precision precision = Precision::f32;
  // Longer texts than the model takes by itself, or a shorter limit.
  ContextOptions context = {};
  // Keeps what generate() needs: the vocabulary's output vectors.
  bool generates = false;
};

struct GenerateOptions {
  std::size_t most = 128;  // tokens
  std::uint32_t end = 0;   // the token that ends a text; it is not part of what is returned
  // The distribution is sharpened (below 1) or flattened; 0: always the likeliest token.
  double temperature = 1;
  // Only the likeliest tokens, of this share of the distribution together, are drawn from
  // (Holtzman et al., "The curious case of neural text degeneration", 2020).
  double top_p = 1;
  std::uint64_t seed = 1;
  Control control = {};
};

// One text as its tokenizer gives it, with special tokens, without padding.
struct TokenSequence {
  std::span<const std::uint32_t> ids;
  std::span<const std::uint32_t> types;  // segments (token_type_ids); empty: all 0
  std::size_t prompt = 0;  // leading tokens that are a prompt, for poolings that leave it out
  // Special tokens in front and behind, which every chunk of a long text gets (Extension::pcw).
  std::size_t lead = 0, tail = 0;
};

// Texts padded to one length: `mask` is 1 at a text's tokens, which must lie together, and 0 at its
// padding, before or behind them. A text's vector is the same whatever the padding: positions count
// from its first token.
struct PaddedTokens {
  MatrixView<const std::uint32_t> ids, mask;
  MatrixView<const std::uint32_t> types;  // no rows: all 0
};

struct EncodeOptions {
  // Which layer's hidden state: 0 is the embeddings, the number of layers (the default) the last.
  // Computation stops there. As in transformers' `hidden_states`, the model's final norm is applied
  // to the last layer only, unless config.json says `norm_every_layer`. Where the pooling reads all
  // layers no other layer can be chosen.
  std::optional<std::size_t> layer;
  // Applies the model's final norm to an earlier layer's state, too.
  bool norm_early = false;
  Control control;
};

struct EncoderInfo {
  std::string architecture;  // config.json's model_type
  std::size_t layers = 0, width = 0, vocabulary = 0, max_tokens = 0, parameters = 0;
  std::size_t dim = 0;  // of encode()'s vectors
  // Late interaction: the model gives a vector for each token, of `dim` components, and none for a
  // whole sequence.
  bool by_token = false;
  std::vector<std::string> modules;  // "mean pooling", "dense 384 to 256", "normalize" ...
  Precision precision = Precision::f32;
};

// Immutable: any number of threads may use one at a time. Results are the same for any number of
// threads and whatever else is encoded in the same call.
class Encoder {
 public:
  // Without modules.json vectors are the mean over tokens. Throws not_found for a missing file or
  // tensor, corrupt for broken files, extra tensors and wrong shapes, unsupported for what kith
  // does not run; each names the file and the tensor or setting. Takes the time of reading the
  // weights. Narrow precisions use the processor's tile registers where it has them, which Linux is
  // asked for once, for the whole process (arch_prctl(2)). Also throws invalid_argument or
  // unsupported for a context that the model can't have.
  static Encoder open(const std::string& folder, const ModelOptions& options = {});
  ~Encoder();
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;

  const EncoderInfo& info() const;

  // One vector of info().dim a sequence. Throws invalid_argument, naming the sequence, for an empty
  // one, one longer than max_tokens, an id or type the model doesn't have, or one that is nothing
  // but a prompt where the pooling leaves prompts out; unsupported for a model by_token.
  Matrix<float> encode(std::span<const TokenSequence> sequences,
                       const EncodeOptions& options = {}) const;
  // Also throws invalid_argument for shapes that differ and masks with holes.
  Matrix<float> encode(const PaddedTokens& tokens, const EncodeOptions& options = {}) const;

  // What a causal model writes behind each prompt, token by token. It follows from the seed and the
  // prompt, and from how often the same prompt stands right before it, for any number of threads.
  // Throws invalid_argument for an empty prompt, an unknown id, prompts that with `most` exceed
  // max_tokens, and a model that was opened without `generates`; unsupported for one that isn't
  // causal; cancelled.
  std::vector<std::vector<std::uint32_t>> generate(
      std::span<const std::vector<std::uint32_t>> prompts, const GenerateOptions& options) const;

  // The hidden state of every token, `info().width` values each, one sequence after the other.
  // Sequences that Extension::pcw would cut have none: invalid_argument.
  Matrix<float> hidden_states(std::span<const TokenSequence> sequences,
                              const EncodeOptions& options = {}) const;

  // Vectors of length 1 of every token, which late interaction compares (kith/maxsim.h), one
  // sequence after the other: the hidden states, of a model by_token with its dense layers behind
  // them, info().dim components each; of another info().width.
  Matrix<float> token_vectors(std::span<const TokenSequence> sequences,
                              const EncodeOptions& options = {}) const;

 private:
  struct State;
  explicit Encoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kith
