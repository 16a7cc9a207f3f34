#include "text/tokenizer/added_tokens.h"

#include "text/tokenizer/unicode.h"

namespace kith::tokenizer {
namespace {

bool word_ends_before(std::string_view text, std::size_t at) {
  if (at == 0) return false;
  do --at;
  while (at > 0 && (text[at] & 0xc0) == 0x80);
  return is_word(next_code_point(text, at));
}

bool word_begins_at(std::string_view text, std::size_t at) {
  return at < text.size() && is_word(next_code_point(text, at));
}

}  // namespace

AddedTokens::AddedTokens(const Json& node, const Normaliser* normaliser) {
  if (node.is_null()) return;
  node.expect_array();
  for (std::size_t i = 0; i < node.size(); ++i) {
    const Json entry = node.element(i);
    const Token token = {entry.required("id").whole(), entry.boolean("single_word", false),
                         entry.boolean("lstrip", false), entry.boolean("rstrip", false)};
    const bool special = entry.boolean("special", false);
    std::string content = entry.text("content");
    if (token.id == kText) entry.corrupt("id 4294967295, expected a smaller one");
    if (content.empty()) continue;  // found nowhere
    vocabulary_.add(content, token.id);
    if (special) special_.insert(token.id);
    const bool normalised = entry.boolean("normalized", !special) && normaliser != nullptr;
    if (normalised) normaliser->apply(content);
    (normalised ? normalised_ : raw_).add(content, static_cast<std::uint32_t>(tokens_.size()));
    (normalised ? has_normalised_ : has_raw_) = true;
    tokens_.push_back(token);
  }
}

bool AddedTokens::fits(std::string_view text, std::size_t begin, std::size_t end,
                       const Token& token) const {
  return !token.single_word || (!word_ends_before(text, begin) && !word_begins_at(text, end));
}

void AddedTokens::split(std::string_view text, bool normalised, std::vector<Part>& parts) const {
  const Trie& trie = normalised ? normalised_ : raw_;
  std::size_t kept = 0;  // what is before went into parts
  const std::size_t last = (normalised ? has_normalised_ : has_raw_) ? text.size() : 0;
  for (std::size_t at = 0; at < last;) {
    const Trie::Match match = trie.longest(text, at);
    const std::size_t after = at + match.length;
    if (match.length == 0 || !fits(text, at, after, tokens_[match.value])) {
      ++at;
      continue;
    }
    const Token& token = tokens_[match.value];
    std::string_view before = text.substr(kept, at - kept);
    if (token.takes_left) before = trim_end(before);
    if (!before.empty()) parts.push_back({before, kText});
    parts.push_back({text.substr(at, match.length), token.id});
    at = after;
    if (token.takes_right) at = text.size() - trim_start(text.substr(after)).size();
    kept = at;
  }
  if (kept < text.size()) parts.push_back({text.substr(kept), kText});
}

}  // namespace kith::tokenizer
