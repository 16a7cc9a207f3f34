// From a pre-token to the ids of its tokens: one file a kind of model.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "json/json.h"
#include "text/tokenizer/vocabulary.h"

namespace kith::tokenizer {

class Model {
 public:
  explicit Model(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  virtual ~Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Appends the tokens of a piece of well-formed UTF-8, which is not empty. Any number of threads
  // may call this at once.
  virtual void encode(std::string_view piece, std::vector<TokenId>& ids) const = 0;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
};

// The model of a tokenizer.json. Throws unsupported for a kind or option it doesn't know, corrupt
// for malformed members.
std::unique_ptr<Model> read_model(const Json& node);

std::unique_ptr<Model> read_word_piece(const Json& node);
std::unique_ptr<Model> read_bpe(const Json& node);
std::unique_ptr<Model> read_unigram(const Json& node);
std::unique_ptr<Model> read_word_level(const Json& node);

// {"token": id, …}
Vocabulary read_vocabulary(const Json& node);
// The id of the token that member `name` names, which must be in the vocabulary; none when absent.
std::optional<TokenId> read_token(const Json& node, const char* name, const Vocabulary& vocabulary);
// The ids of "<0x00>" to "<0xFF>", empty unless all are there.
std::vector<TokenId> byte_tokens(const Vocabulary& vocabulary);

}  // namespace kith::tokenizer
