// Byte-pair encoding, learned: which pairs of neighbouring tokens become one, in which order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kith/control.h"
#include "text/tokenizer/vocabulary.h"
#include "text/tokenizer/word_counts.h"

namespace kith::tokenizer {

struct MergeOptions {
  std::size_t vocabulary;           // tokens at most
  std::uint64_t min_frequency = 1;  // of a pair that becomes a token
  std::size_t most_letters = 0;     // the most frequent ones that are kept; 0: all
  std::string prefix = {};          // of a letter inside a word, "##"; tokens have one at most
  std::vector<std::string> reserved = {};  // tokens that come first
  std::vector<std::string> alphabet = {};  // letters that are kept even where no word has them
  Control control = {};
};

struct LearnedMerges {
  // By id: reserved ones, letters by code point, letters inside words by code point, then what
  // merges made, in their order.
  std::vector<std::string> tokens;
  std::size_t letters = 0;
  std::vector<std::pair<TokenId, TokenId>> merges;
};

// Words begin as their kept letters. The most frequent pair becomes one token everywhere, leftmost
// first, until there are tokens enough or no pair is frequent enough; of equals the one with the
// lower first id, then second id. A pair that comes back because two others made one of its tokens
// is merged again. `words` are distinct. Throws invalid_argument when reserved tokens and letters
// alone are too many; Error{cancelled}. About O(letters of all words * log), for a merge looks only
// at words that hold its pair.
LearnedMerges learn_merges(std::span<const CountedWord> words, const MergeOptions& options);

}  // namespace kith::tokenizer
