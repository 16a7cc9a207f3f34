#include "bench/data/terms.h"

#include <span>

#include "base/checksum.h"

namespace kith::bench {
namespace {

constexpr char32_t kInvalid = 0xfffd;

// The code point at `at`, which is moved past it.
char32_t decode(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at++);
  if (first < 0x80) return first;
  const int extra = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : 0;
  if (extra == 0 || at + extra > text.size()) return kInvalid;
  char32_t code = first & (0x3f >> extra);
  for (int i = 0; i < extra; ++i, ++at) {
    if ((byte(at) & 0xc0) != 0x80) return kInvalid;
    code = code << 6 | (byte(at) & 0x3f);
  }
  return code;
}

char32_t lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if (c >= 0xc0 && c <= 0xde && c != 0xd7) return c + 32;  // Latin-1
  if (c >= 0x100 && c <= 0x137) return c | 1;              // Latin Extended-A, pairs
  if (c >= 0x139 && c <= 0x148) return (c & 1) != 0 ? c + 1 : c;
  if (c >= 0x14a && c <= 0x177) return c | 1;
  if (c == 0x178) return 0xff;
  if (c >= 0x179 && c <= 0x17e) return (c & 1) != 0 ? c + 1 : c;
  if (c >= 0x391 && c <= 0x3a9) return c + 32;  // Greek
  if (c >= 0x410 && c <= 0x42f) return c + 32;  // Cyrillic
  if (c >= 0x400 && c <= 0x40f) return c + 80;
  return c;
}

bool within(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

bool unspaced(char32_t c) {
  return within(c, 0x3040, 0x30ff) || within(c, 0x3400, 0x9fff) || within(c, 0x20000, 0x2ffff) ||
         within(c, 0xe00, 0xe7f) || within(c, 0xff66, 0xff9f);
}
bool hangul(char32_t c) { return within(c, 0xac00, 0xd7a3); }
bool letter(char32_t c) {
  if (c < 0x80) return within(c, 'a', 'z') || within(c, '0', '9');
  if (c < 0xc0) return c == 0xaa || c == 0xb5 || c == 0xba;
  return c != 0xd7 && c != 0xf7 && c != kInvalid && !within(c, 0x2000, 0x2bff) &&
         !within(c, 0x3000, 0x303f) && !within(c, 0xfe00, 0xfe6f) && !within(c, 0xff00, 0xff0f) &&
         !within(c, 0xff1a, 0xff20) && !within(c, 0xff3b, 0xff40) && !within(c, 0xff5b, 0xff65);
}

class TermMaker {
 public:
  void add(char32_t c) {
    const bool joins = letter(c) && (word_.empty() || unspaced(word_.back()) == unspaced(c));
    if (!joins) finish();
    if (letter(c)) word_.push_back(c);
  }

  void finish() {
    if (word_.empty()) return;
    if (unspaced(word_.front())) {
      grams(1);
      grams(2);
    } else {
      emit(word_);
      if (hangul(word_.front())) grams(2);
    }
    word_.clear();
  }

  std::vector<std::uint64_t> take() { return std::move(terms_); }

 private:
  void emit(std::u32string_view term) {
    terms_.push_back(checksum(std::as_bytes(std::span(term.data(), term.size()))));
  }
  void grams(std::size_t length) {
    const std::u32string_view word = word_;
    for (std::size_t i = 0; i + length <= word.size(); ++i) emit(word.substr(i, length));
  }

  std::u32string word_;
  std::vector<std::uint64_t> terms_;
};

}  // namespace

std::vector<std::uint64_t> terms(std::string_view text) {
  TermMaker maker;
  for (std::size_t at = 0; at < text.size();) maker.add(lower(decode(text, at)));
  maker.finish();
  return maker.take();
}

std::vector<std::string> sentences(std::string_view paragraph) {
  std::vector<std::string> found;
  std::size_t start = 0;
  const auto cut = [&](std::size_t end) {
    while (start < end && paragraph[start] == ' ') ++start;
    if (start < end) found.emplace_back(paragraph.substr(start, end - start));
    start = end;
  };
  for (std::size_t at = 0; at < paragraph.size();) {
    const char32_t c = decode(paragraph, at);
    const bool space_follows = at == paragraph.size() || paragraph[at] == ' ';
    const bool narrow = c == '.' || c == '!' || c == '?';
    const bool wide = c == 0x3002 || c == 0xff01 || c == 0xff1f;
    if (wide || (narrow && space_follows)) cut(at);
  }
  cut(paragraph.size());
  return found;
}

}  // namespace kith::bench
