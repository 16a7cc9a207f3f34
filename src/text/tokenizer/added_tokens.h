// Tokens that are found in a text before anything is cut: "[CLS]", "<|endoftext|>" and the like.
// Some are looked for in the text as it came, the others once it is normalised.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "json/json.h"
#include "text/tokenizer/normaliser.h"
#include "text/tokenizer/trie.h"
#include "text/tokenizer/vocabulary.h"

namespace kith::tokenizer {

class AddedTokens {
 public:
  // `node` is the file's list; ids come with it. The normaliser may be null.
  AddedTokens(const Json& node, const Normaliser* normaliser);

  // A part of a text: a token, or what lies between two (then id is kText).
  static constexpr TokenId kText = Trie::kNoValue;
  struct Part {
    std::string_view text;
    TokenId id;
  };
  // The leftmost tokens, of those that begin together the longest. A token that takes the white
  // space beside it is longer by that.
  void split(std::string_view text, bool normalised, std::vector<Part>& parts) const;

  bool is_special(TokenId id) const { return special_.contains(id); }
  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  struct Token {
    TokenId id;
    bool single_word, takes_left, takes_right;
  };
  bool fits(std::string_view text, std::size_t begin, std::size_t end, const Token& token) const;

  std::vector<Token> tokens_;
  Trie raw_, normalised_;  // values are positions in tokens_
  bool has_raw_ = false, has_normalised_ = false;
  std::unordered_set<TokenId> special_;
  Vocabulary vocabulary_;
};

}  // namespace kith::tokenizer
