// Texts to vectors, by a model folder: its tokenizer.json and what Encoder reads of it, or a static
// model that `kith model import` wrote from word vectors. Part of libkith-encode; docs/models.md
// tells what a folder holds.
//
//   const kith::TextEncoder model = kith::TextEncoder::open("models/use-lite");
//   const std::vector<std::string_view> texts = {"a cat", "a kitten"};
//   const kith::Matrix<float> vectors = model.encode(texts).vectors;
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kith/control.h"
#include "kith/encoder.h"
#include "kith/matrix.h"
#include "kith/vector_sets.h"

namespace kith {

// Of models that write thoughts about a query before they embed it (O1 Embedder, Yan et al., 2025).
struct ThinkOptions {
  std::size_t thoughts =
      3;  // of each text, whose vectors' mean is taken; 0: it is embedded at once
  // Of drawing their tokens; see GenerateOptions. The authors' values.
  double temperature = 0.1, top_p = 0.9;
  std::size_t most = 0;  // tokens of a thought; 0: as the folder says
  std::uint64_t seed = 1;
};

struct TextEncodeOptions {
  // What is put before each text; empty: nothing. Unset: the folder's default prompt, if it has
  // one.
  std::optional<std::string> prompt = {};
  // See EncodeOptions; a static model has layer 0 only.
  std::optional<std::size_t> layer = {};
  // The first so many components only, for models trained so that these mean something alone
  // (Kusupati et al., "Matryoshka representation learning", 2022). 0: all.
  std::size_t dim = 0;
  // Whether vectors get unit length, after `dim`. Unset: where the folder's last module is
  // Normalize.
  std::optional<bool> normalize = {};
  // Texts are queries that are thought about; unset: they are documents. Only for models whose
  // folder has thinking.json; the others throw unsupported.
  std::optional<ThinkOptions> think = {};
  // Throws for a text that isn't UTF-8; otherwise each wrong byte is read as U+FFFD and counted.
  bool strict = false;
  Control control = {};
};

struct EncodedTexts {
  Matrix<float> vectors;  // a row a text
  // How many texts were cut to the model's length, had bytes that are no UTF-8, and had no token
  // the model knows: these get zeros, which no cosine can be taken of.
  std::size_t truncated = 0, mended = 0, empty = 0;
  std::vector<std::vector<std::string>> thoughts = {};  // of each text, where there were any
};

struct TokenEncodeOptions {
  // Texts are queries; else documents. Late-interaction models tell them apart: by prompts, their
  // lengths, and tokens that are added to queries or left out of documents.
  bool queries = false;
  // As TextEncodeOptions, but unset: the folder's prompt "query" for queries, "document" or
  // "passage" for documents, where it has one, else its default.
  std::optional<std::string> prompt = {};
  std::optional<std::size_t> layer = {};
  bool strict = false;
  Control control = {};
};

struct EncodedTokens {
  VectorSetRows sets;  // a set a text
  // As of EncodedTexts. A text without a known token is a set of one vector of zeros.
  std::size_t truncated = 0, mended = 0, empty = 0;
};

// Immutable: any number of threads may use one at a time.
class TextEncoder {
 public:
  // Throws as Encoder::open and Tokenizer::open do. A static model multiplies nothing and is the
  // same in every precision. Takes the time of reading the weights.
  static TextEncoder open(const std::string& folder, const ModelOptions& options = {});
  ~TextEncoder();
  TextEncoder(TextEncoder&&) noexcept;
  TextEncoder& operator=(TextEncoder&&) noexcept;

  // `max_tokens` of a static model, which has no limit, is the largest number there is.
  const EncoderInfo& info() const;
  std::size_t tokenizer_size() const;  // tokens it knows
  // Those of config_sentence_transformers.json by name, and the name of the one used by default.
  const std::map<std::string, std::string>& prompts() const;
  const std::string& default_prompt() const;  // empty: none
  bool thinks() const;                        // see TextEncodeOptions::think
  // The names of the dimensions, in order, of a model that has such (kith/explanation.h); else
  // none.
  const std::vector<std::string>& concepts() const;

  // A vector is the same to the bit for any number of threads and whatever else is encoded in the
  // call. Texts of like length run together, the longest first. Throws invalid_argument for a layer
  // or dim that the model doesn't have, naming the text, where a prompt fills all that the model
  // takes, and, when strict, naming the text and the byte; cancelled. Unsupported for a
  // late-interaction model, which has no vector for a whole text.
  EncodedTexts encode(std::span<const std::string_view> texts,
                      const TextEncodeOptions& options = {}) const;

  // The vectors of each text's tokens, of length 1, for late interaction (kith/maxsim.h): special
  // tokens and prompts included, in order. Of a late-interaction model (EncoderInfo::by_token) they
  // are what it was trained for; of another the states of a layer, info().width components each.
  // Throws as encode() does, and unsupported for models that think.
  EncodedTokens encode_tokens(std::span<const std::string_view> texts,
                              const TokenEncodeOptions& options = {}) const;

 private:
  struct State;
  explicit TextEncoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kith
