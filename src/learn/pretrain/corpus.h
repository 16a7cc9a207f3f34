// Plain texts as pieces of token ids that a language model learns from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kith/control.h"
#include "kith/encoder.h"
#include "kith/tokenizer.h"

namespace kith::learn {

struct TextSourceOptions {
  std::string name;                 // what messages call it; the first file's by default
  std::vector<std::string> files;   // JSON lines, CSV, TSV or plain lines
  std::vector<std::string> fields;  // that make the text; empty: "text", "title" before it
  double weight = 1;                // how often batches are of this source, beside the others'
  std::int64_t limit = 0;           // the first so many texts only; 0: all
};

// All in memory, four bytes a token.
class Corpus {
 public:
  // Texts of more than `most` tokens (the special ones included) become several pieces; those of
  // fewer than 2 tokens besides special ones are left out. Throws as TextStream does, and
  // invalid_argument where nothing is left, naming the source.
  Corpus(const TextSourceOptions& options, const Tokenizer& tokenizer, std::size_t most,
         const Control& control);

  std::size_t pieces() const { return begin_.size() - 1; }
  std::size_t tokens() const { return ids_.size(); }
  TokenSequence piece(std::size_t number) const;
  // Ids that the tokenizer adds to texts, ascending.
  const std::vector<std::uint32_t>& special() const { return special_; }

 private:
  void add(const Encoding& encoding);

  std::vector<std::uint32_t> ids_, special_;
  std::vector<std::uint64_t> begin_ = {0};
};

}  // namespace kith::learn
