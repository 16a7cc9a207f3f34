// GPT-2's way to write any byte as one printable character, so that byte-level vocabularies are
// text: printable Latin-1 stands for itself, the other bytes for U+0100 and up, in order.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kith::tokenizer {

void append_byte_letters(std::string_view bytes, std::string& out);
// The byte that a character stands for.
std::optional<unsigned char> byte_of_letter(char32_t letter);

}  // namespace kith::tokenizer
