// How often each word occurs in texts, as a tokenizer's normaliser and pre-tokeniser cut them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kith/control.h"
#include "text/tokenizer/normaliser.h"
#include "text/tokenizer/pieces.h"
#include "text/tokenizer/pre_tokeniser.h"

namespace kith::tokenizer {

struct CountedWord {
  std::string text;
  std::uint64_t count;
};

class WordCounts {
 public:
  // Either may be null; both must outlive this.
  WordCounts(const Normaliser* normaliser, const PreTokeniser* pre_tokeniser,
             const Control& control);

  // Texts are divided among the threads. A word of more than kMostLetters counts as several.
  void add(std::span<const std::string_view> texts);

  std::vector<CountedWord> sorted() const;  // by text
  std::size_t texts() const { return texts_; }
  std::size_t mended() const;  // texts with bytes that are no UTF-8

  // Without spaces, as in base 64, a word may be as long as a text; each merge of its tokens walks
  // through all of it.
  static constexpr std::size_t kMostLetters = 1000;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  struct Worker {
    std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>> counts;
    std::size_t mended = 0;
    std::string text, whole;
    Pieces pieces;
  };
  void count_text(std::string_view text, Worker& worker) const;
  static void count_word(std::string_view word, Worker& worker);

  const Normaliser* normaliser_;
  const PreTokeniser* pre_tokeniser_;
  Control control_;
  std::vector<Worker> workers_;
  std::size_t texts_ = 0;
};

}  // namespace kith::tokenizer
