// Text to terms: lower-cased words, and character n-grams where a script writes no spaces.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kith::bench {

// 64-bit hashes of the terms of a UTF-8 text, in order, repeats included. Letters are lower-cased
// (Latin, Greek, Cyrillic); digits are letters; Han, kana and Thai give single characters and
// pairs, Hangul words also give pairs. Bytes that are not UTF-8 separate words.
std::vector<std::uint64_t> terms(std::string_view text);

// The sentences of a paragraph: split after . ! ? and their wide forms. Abbreviations split too;
// for a set of many distinct short texts that does no harm.
std::vector<std::string> sentences(std::string_view paragraph);

}  // namespace kith::bench
