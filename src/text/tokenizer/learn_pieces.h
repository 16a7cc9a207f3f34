// The pieces of a unigram language model: T. Kudo, "Subword regularization: improving neural
// network translation models with multiple subword candidates", ACL 2018, section 3.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kith/control.h"
#include "text/tokenizer/word_counts.h"

namespace kith::tokenizer {

struct ScoredPiece {
  std::string text;
  double score;  // logarithm of its probability
};

struct PieceOptions {
  std::size_t vocabulary;           // pieces at most
  std::uint64_t min_frequency = 2;  // of a piece of two letters or more
  std::size_t most_letters = 0;     // the most frequent ones that are kept; 0: all
  // SentencePiece's defaults, of pieces to start from: how many, and letters of the longest.
  std::size_t seeds = 1'000'000, longest = 16;
  Control control = {};
};

// Starts from the most frequent substrings of the words; again and again fits their probabilities
// by expectation maximisation, and leaves out the quarter without which the best cuts of the words
// lose the least likelihood. Kept letters are always pieces. Sorted by score, ties by text. The
// same for any number of threads. `words` are distinct. Throws invalid_argument when letters alone
// are too many; Error{cancelled}.
std::vector<ScoredPiece> learn_pieces(std::span<const CountedWord> words,
                                      const PieceOptions& options);

// How often each piece is expected over all ways to cut the words, each weighed by its probability
// (the E step), and the words' log likelihood. A word that no pieces cover counts for nothing.
struct Expectation {
  std::vector<double> uses;  // a piece
  double likelihood = 0;
};
Expectation expected_uses(std::span<const CountedWord> words, std::span<const ScoredPiece> pieces,
                          const Control& control);

}  // namespace kith::tokenizer
