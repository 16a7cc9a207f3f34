#include "text/tokenizer/charsmap.h"

#include <cstring>

#include "kith/error.h"
#include "text/tokenizer/unicode.h"

namespace kith::tokenizer {
namespace {

constexpr std::size_t kMostGraphemeBytes = 5;

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

std::string decode_base64(std::string_view text, const std::string& place) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) throw Error(ErrorCode::corrupt, place + ": expected base64");
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<char>(bits >> held));
  }
  return out;
}

// A unit of the double array: the byte it is for, where its children are, and whether one of them
// is a value.
std::uint32_t label(std::uint32_t unit) { return unit & 0x800000ffu; }
std::size_t offset(std::uint32_t unit) { return std::size_t{unit >> 10} << ((unit & 0x200) >> 6); }
bool has_value(std::uint32_t unit) { return (unit >> 8 & 1) != 0; }
std::size_t value(std::uint32_t unit) { return unit & 0x7fffffffu; }

}  // namespace

Charsmap::Charsmap(std::string_view base64, const std::string& place) {
  const std::string bytes = decode_base64(base64, place);
  std::uint32_t size = 0;
  if (bytes.size() >= sizeof size) std::memcpy(&size, bytes.data(), sizeof size);
  if (size == 0 || size % sizeof(std::uint32_t) != 0 || size > bytes.size() - sizeof size) {
    throw Error(ErrorCode::corrupt, place + ": a trie of " + std::to_string(size) + " bytes in " +
                                        std::to_string(bytes.size()));
  }
  units_.resize(size / sizeof(std::uint32_t));
  std::memcpy(units_.data(), bytes.data() + sizeof size, size);
  texts_ = bytes.substr(sizeof size + size);
}

std::optional<std::string_view> Charsmap::find(std::string_view part) const {
  std::size_t at = offset(units_[0]);
  for (const char c : part) {
    const auto byte = static_cast<unsigned char>(c);
    at ^= byte;
    if (byte == 0 || at >= units_.size() || label(units_[at]) != byte) return std::nullopt;
    const bool found = has_value(units_[at]);
    at ^= offset(units_[at]);
    if (!found) continue;
    if (at >= units_.size() || value(units_[at]) >= texts_.size()) return std::nullopt;
    const std::string_view text = std::string_view(texts_).substr(value(units_[at]));
    return text.substr(0, text.find('\0'));
  }
  return std::nullopt;
}

void Charsmap::replace(std::string_view grapheme, std::string& out) const {
  if (grapheme.size() <= kMostGraphemeBytes) {
    if (const auto found = find(grapheme)) {
      out.append(*found);
      return;
    }
  }
  for (std::size_t at = 0; at < grapheme.size();) {
    const std::size_t start = at;
    next_code_point(grapheme, at);
    const std::string_view character = grapheme.substr(start, at - start);
    out.append(find(character).value_or(character));
  }
}

std::string Charsmap::apply(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  if (is_ascii(text) && text.find('\r') == std::string_view::npos) {  // "\r\n" is one grapheme
    for (std::size_t at = 0; at < text.size(); ++at) replace(text.substr(at, 1), out);
    return out;
  }
  std::size_t begin = 0;
  for (const std::size_t end : grapheme_ends(text)) {
    replace(text.substr(begin, end - begin), out);
    begin = end;
  }
  return out;
}

}  // namespace kith::tokenizer
