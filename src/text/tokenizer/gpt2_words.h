// The words that GPT-2 cuts a text into, as its regular expression does
//
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// but without a regular expression engine.
#pragma once

#include <cstddef>
#include <string_view>

namespace kith::tokenizer {

// Where the word that begins at `at`, before the end of the text, ends.
std::size_t gpt2_word_end(std::string_view text, std::size_t at);

}  // namespace kith::tokenizer
