// What tokenizers ask of Unicode, over UTF-8, by ICU. Texts here are well-formed: Tokenizer mends
// them first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/utf8.h"

namespace kith::tokenizer {

using text::append_utf8;
using text::next_code_point;

bool is_ascii(std::string_view text);

// Throws invalid_argument for texts of 2 GiB and more, whose positions ICU can't count.
void check_size(std::string_view text);

// Replaces every byte that is no part of UTF-8 by U+FFFD; returns how many there were. `out` is
// touched only when there are some.
std::size_t mend_utf8(std::string_view text, std::string& out);

bool is_space(char32_t code);          // Unicode's White_Space
bool is_control(char32_t code);        // categories Cc, Cf, Co and Cs
bool is_mark(char32_t code);           // category Mn
bool is_numeric(char32_t code);        // categories Nd, Nl and No
bool is_letter(char32_t code);         // category L
bool is_word(char32_t code);           // Alphabetic, M, Nd, Pc: what \w means
bool is_punctuation(char32_t code);    // ASCII's, and category P
bool is_cjk_ideograph(char32_t code);  // as BERT counts them: Han, no kana, no Hangul
int script_of(char32_t code);          // ICU's number of the script

enum class Form : std::uint8_t { nfc, nfd, nfkc, nfkd };
std::string normal_form(std::string_view text, Form form);
std::string lower(std::string_view text);  // in full, with a final sigma at the ends of words
std::string without_marks(std::string_view text);

std::string_view trim_start(std::string_view text);
std::string_view trim_end(std::string_view text);

// Where grapheme clusters end, in bytes; the last is the text's end.
std::vector<std::uint32_t> grapheme_ends(std::string_view text);

}  // namespace kith::tokenizer
