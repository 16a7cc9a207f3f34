#include "text/tokenizer/gpt2_words.h"

#include <array>
#include <cstdint>

#include "text/tokenizer/unicode.h"

namespace kith::tokenizer {
namespace {

enum class Kind : std::uint8_t { letter, number, space, other };

Kind kind_of(char32_t code) {
  if (is_letter(code)) return Kind::letter;
  if (is_numeric(code)) return Kind::number;
  return is_space(code) ? Kind::space : Kind::other;
}

const std::array<Kind, 0x80> kAscii = [] {
  std::array<Kind, 0x80> kinds{};
  for (char32_t code = 0; code < 0x80; ++code) kinds[code] = kind_of(code);
  return kinds;
}();

Kind next_kind(std::string_view text, std::size_t& at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte >= 0x80) return kind_of(next_code_point(text, at));
  ++at;
  return kAscii[byte];
}

// Spaces up to the next word; the last of several belongs to that word.
std::size_t spaces_end(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  std::size_t last = at;
  while (at < text.size()) {
    std::size_t next = at;
    if (next_kind(text, next) != Kind::space) return last > begin ? last : at;
    last = at;
    at = next;
  }
  return at;
}

}  // namespace

std::size_t gpt2_word_end(std::string_view text, std::size_t at) {
  if (text[at] == '\'') {
    for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
      if (text.substr(at).starts_with(ending)) return at + ending.size();
    }
  }
  std::size_t next = at;
  Kind kind = next_kind(text, next);
  if (text[at] == ' ' && next < text.size()) {
    std::size_t after = next;
    kind = next_kind(text, after);
    if (kind != Kind::space) next = after;
  }
  if (kind == Kind::space) return spaces_end(text, at);
  for (std::size_t after = next; next < text.size(); next = after) {
    if (next_kind(text, after) != kind) break;
  }
  return next;
}

}  // namespace kith::tokenizer
