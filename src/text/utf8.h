// UTF-8, code point by code point.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kith::text {

inline constexpr char32_t kInvalid = 0xfffd;

// The code point at `at`, which is moved past it. A byte that begins no well-formed sequence (cut
// off, overlong, a surrogate, above U+10FFFF) is kInvalid by itself.
inline char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at++);
  if (first < 0x80) return first;
  const std::size_t extra = first >= 0xf5   ? 0
                            : first >= 0xf0 ? 3
                            : first >= 0xe0 ? 2
                            : first >= 0xc2 ? 1
                                            : 0;
  if (extra == 0 || extra > text.size() - at) return kInvalid;
  char32_t code = first & (0x3fu >> extra);
  for (std::size_t i = 0; i < extra; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return kInvalid;
    code = code << 6 | (byte(at + i) & 0x3fu);
  }
  constexpr char32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  if (code < kLeast[extra] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return kInvalid;
  at += extra;
  return code;
}

// The first byte that is no part of UTF-8, or the text's size. (U+FFFD itself takes three bytes.)
inline std::size_t first_wrong_byte(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    if (next_code_point(text, at) == kInvalid && at == start + 1) return start;
  }
  return text.size();
}

inline void append_utf8(char32_t code, std::string& out) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xe0 | code >> 12);
    } else {
      put(0xf0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3f));
    }
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

// Each byte that is no part of UTF-8 as U+FFFD.
inline std::string mended(std::string_view text) {
  std::string whole;
  whole.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t code = next_code_point(text, at);
    if (code == kInvalid) {
      append_utf8(code, whole);
    } else {
      whole.append(text.substr(start, at - start));
    }
  }
  return whole;
}

}  // namespace kith::text
