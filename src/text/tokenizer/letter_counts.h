// Letters of words, and which of them a vocabulary keeps.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string_view>

#include "text/tokenizer/word_counts.h"
#include "text/utf8.h"

namespace kith::tokenizer {

// Calls use(letter, whether it is the word's first).
template <class Use>
void for_each_letter(std::string_view word, const Use& use) {
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t start = at;
    text::next_code_point(word, at);
    use(word.substr(start, at - start), start == 0);
  }
}

// The most frequent letters, all for 0; of equals the lower code points. UTF-8 sorts as its code
// points do. They point into the words.
std::set<std::string_view> kept_letters(std::span<const CountedWord> words, std::size_t most);

}  // namespace kith::tokenizer
