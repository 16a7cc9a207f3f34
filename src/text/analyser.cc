#include "text/analyser.h"

#include "text/porter.h"
#include "text/stop_words.h"
#include "text/utf8.h"

namespace kith::text {
namespace {

bool is_apostrophe(char32_t code) { return code == '\'' || code == 0x2019; }

// Whether a letter stands at `at`.
bool letter_at(std::string_view text, std::size_t at) {
  return at < text.size() && kind_of(next_code_point(text, at)) == CharKind::letter;
}

}  // namespace

bool Analyser::next_word(std::string_view text, std::size_t& at) {
  word_.clear();
  unspaced_ = false;
  while (at < text.size()) {
    const std::size_t start = at;
    char32_t code = next_code_point(text, at);
    CharKind kind = kind_of(code);
    if (!word_.empty() && !unspaced_ && is_apostrophe(code) && letter_at(text, at)) {
      word_ += '\'';
      continue;
    }
    if (kind == CharKind::mark && word_.empty()) kind = CharKind::other;
    if (kind == CharKind::other) {
      if (word_.empty()) continue;
      return true;
    }
    const bool other_script = kind != CharKind::mark && (kind == CharKind::unspaced) != unspaced_;
    constexpr std::size_t kMostBytes = 4;  // of a code point
    if (!word_.empty() && (other_script || word_.size() + kMostBytes > kMaxTermBytes)) {
      at = start;
      return true;
    }
    if (kind != CharKind::mark) unspaced_ = kind == CharKind::unspaced;
    append_utf8(lower(code), word_);
  }
  return !word_.empty();
}

bool Analyser::finish_word() {
  if (word_.ends_with("'s")) word_.resize(word_.size() - 2);
  if (options_.stop_words && is_stop_word(word_)) return false;
  if (options_.stem) porter_stem(word_);
  return true;
}

std::size_t Analyser::char_end(std::size_t at) const {
  next_code_point(word_, at);
  for (std::size_t next = at; next < word_.size(); at = next) {
    if (kind_of(next_code_point(word_, next)) != CharKind::mark) break;
  }
  return at;
}

}  // namespace kith::text
