// Long texts cut into parts that an encoder takes: sentences, paragraphs, and passages of bounded
// length that overlap. All parts are byte ranges of the text given, which is UTF-8 (bytes that are
// none count as U+FFFD), so nothing is copied or changed. No cut falls inside a grapheme cluster: a
// letter stays with its accents, an emoji whole. Part of libkith-encode. Any number of threads may
// call these at once; texts hold less than 2 GiB, else Error{invalid_argument}.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace kith {

class Tokenizer;

struct TextRange {
  std::size_t begin = 0, end = 0;  // bytes; white space around the part is outside
  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
  friend bool operator==(const TextRange&, const TextRange&) = default;
};

// Parts between lines that are blank.
std::vector<TextRange> paragraphs(std::string_view text);

// By Unicode's rules (UAX #29) within each paragraph, where a line's end is but a space; points
// after common English abbreviations end no sentence.
std::vector<TextRange> sentences(std::string_view text);

struct PassageOptions {
  // The most a passage holds, and how much of it the next may repeat: tokens when there is a
  // tokenizer (special tokens not counted, the file's truncation not used), else words. A word is
  // what a line may be broken after, an ideograph too.
  std::size_t length = 256;  // what sentence encoders are commonly trained on
  std::size_t overlap = 32;
  const Tokenizer* tokenizer = nullptr;
};

// Passages that cover the text from first to last word. One ends with a paragraph or else a
// sentence where such an end lies in its second half, and repeats whole sentences where they fit
// the overlap. Throws invalid_argument unless 0 <= overlap < length. Where a grapheme cluster alone
// has more tokens than `length`, its passage does too. Takes two encodings of the text.
std::vector<TextRange> passages(std::string_view text, const PassageOptions& options = {});

}  // namespace kith
