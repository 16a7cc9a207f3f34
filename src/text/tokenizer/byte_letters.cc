#include "text/tokenizer/byte_letters.h"

#include <array>

#include "text/utf8.h"

namespace kith::tokenizer {
namespace {

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

constexpr char32_t kFirst = 0x100;

constexpr std::array<char32_t, 256> kLetters = [] {
  std::array<char32_t, 256> letters{};
  char32_t next = kFirst;
  for (unsigned byte = 0; byte < 256; ++byte) {
    letters[byte] = stands_for_itself(byte) ? byte : next++;
  }
  return letters;
}();

}  // namespace

void append_byte_letters(std::string_view bytes, std::string& out) {
  for (const char byte : bytes) {
    text::append_utf8(kLetters[static_cast<unsigned char>(byte)], out);
  }
}

std::optional<unsigned char> byte_of_letter(char32_t letter) {
  if (letter < kFirst) {
    if (!stands_for_itself(letter)) return std::nullopt;
    return static_cast<unsigned char>(letter);
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (kLetters[byte] == letter) return static_cast<unsigned char>(byte);
  }
  return std::nullopt;
}

}  // namespace kith::tokenizer
