// A text as the terms that it is indexed and searched by.
//
// Words are runs of letters and digits of any script, in lower case, with their combining marks; an
// apostrophe between letters belongs to the word ("don't"), but an English possessive "'s" is cut
// off. Scripts that write no spaces (Han, kana, Thai ...) give overlapping pairs of characters, or
// the single one that stands alone. What is no UTF-8 separates words. Nothing is normalised: an "e"
// with a combining accent is another word than one with the accent built in.
#pragma once

#include <string>
#include <string_view>

#include "kith/text_index.h"
#include "text/letters.h"

namespace kith::text {

inline constexpr std::size_t kMaxTermBytes = 255;  // longer words are cut into several

// Not thread-safe: one a thread.
class Analyser {
 public:
  explicit Analyser(const AnalyserOptions& options) : options_(options) {}

  // Calls use(std::string_view term) for every term in order, repeats included.
  template <class Use>
  void terms(std::string_view text, const Use& use) {
    std::size_t at = 0;
    while (next_word(text, at)) {
      if (unspaced_) {
        pairs(use);
      } else if (finish_word()) {
        use(std::string_view(word_));
      }
    }
  }

 private:
  // Reads the next word from `at` on into word_; false at the end.
  bool next_word(std::string_view text, std::size_t& at);
  // Stop words and stems; false when the word is left out.
  bool finish_word();

  template <class Use>
  void pairs(const Use& use) const {
    const std::string_view word = word_;
    std::size_t first = 0, second = char_end(0);
    if (second == word.size()) return use(word);
    for (; second < word.size(); first = char_end(first), second = char_end(second)) {
      use(word.substr(first, char_end(second) - first));
    }
  }
  std::size_t char_end(std::size_t at) const;  // of a character in word_, its marks included

  AnalyserOptions options_;
  std::string word_;
  bool unspaced_ = false;
};

}  // namespace kith::text
