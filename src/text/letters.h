// Which code points form words, and their lower-case forms, from tables that scripts/letters.py
// makes of the Unicode character database.
#pragma once

#include <cstdint>

namespace kith::text {

enum class CharKind : std::uint8_t {
  other,     // separates words
  letter,    // letters and digits
  mark,      // combines with the letter before it
  unspaced,  // letters of scripts that write no spaces between words: Han, kana, Thai ...
};

CharKind kind_of(char32_t code);

// The lower-case form where it is one code point, else the code point itself.
char32_t lower(char32_t code);

}  // namespace kith::text
