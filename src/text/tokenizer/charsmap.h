// SentencePiece's precompiled table of replacements: a double-array trie (Darts) over UTF-8 whose
// values are positions in a list of texts, each ended by a zero byte. Immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kith::tokenizer {

class Charsmap {
 public:
  // From base64 of: the trie's bytes (uint32), the trie, the texts. Throws corrupt, naming `place`.
  Charsmap(std::string_view base64, const std::string& place);

  // Replaces grapheme clusters (those of up to 5 bytes) or single characters.
  std::string apply(std::string_view text) const;

 private:
  // What the shortest known beginning of `part` becomes.
  std::optional<std::string_view> find(std::string_view part) const;
  void replace(std::string_view grapheme, std::string& out) const;

  std::vector<std::uint32_t> units_;
  std::string texts_;
};

}  // namespace kith::tokenizer
