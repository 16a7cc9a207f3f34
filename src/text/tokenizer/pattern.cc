#include "text/tokenizer/pattern.h"

#include "text/tokenizer/unicode.h"

namespace kith::tokenizer {
namespace {

// ICU counts steps in units of about a millisecond each; memory for backtracking is in bytes.
constexpr std::int32_t kMostSteps = 10000, kMostStack = 64 << 20;

// Where ICU reads an escape otherwise than Oniguruma does, the set that Oniguruma means.
std::string_view set_of(char escape) {
  switch (escape) {
    case 's':
      return "\\p{White_Space}";  // ICU's own leaves out U+000B and U+0085
    case 'S':
      return "\\P{White_Space}";
    case 'w':
      return "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]";
    case 'W':
      return "[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]";
    case 'h':
      return "[0-9A-Fa-f]";
    case 'H':
      return "[^0-9A-Fa-f]";
    default:
      return {};
  }
}

icu::UnicodeString to_icu_syntax(const std::string& expression) {
  std::string out;
  for (std::size_t at = 0; at < expression.size(); ++at) {
    if (expression[at] != '\\' || at + 1 == expression.size()) {
      out.push_back(expression[at]);
      continue;
    }
    const std::string_view set = set_of(expression[++at]);
    if (set.empty()) {
      out.append(1, '\\').append(1, expression[at]);
    } else {
      out.append(set);
    }
  }
  return icu::UnicodeString::fromUTF8(out);
}

// Adds the part between two matches, and the match.
void add_match(std::vector<Span>& spans, std::size_t begin, std::size_t end) {
  const std::size_t before = spans.empty() ? 0 : spans.back().end;
  if (before < begin) spans.push_back({before, begin, false});
  if (begin < end) spans.push_back({begin, end, true});
}

// Bytes of UTF-8 passed while `units` of UTF-16 are.
std::size_t skip_units(std::string_view text, std::size_t at, std::int32_t units) {
  while (units > 0) units -= next_code_point(text, at) > 0xffff ? 2 : 1;
  return at;
}

}  // namespace

Behaviour behaviour_of(const Json& node, Behaviour otherwise) {
  return static_cast<Behaviour>(node.word(
      "behavior", {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"},
      static_cast<std::size_t>(otherwise)));
}

void cut(std::string_view text, const std::vector<Span>& spans, Behaviour behaviour, Pieces& out) {
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const Span span = spans[i];
    if (behaviour == Behaviour::removed && span.matched) continue;
    out.open().append(text, span.begin, span.end - span.begin);
    const bool last = i + 1 == spans.size();
    const bool next_matched = !last && spans[i + 1].matched;
    const bool joins_next =
        (behaviour == Behaviour::merged_with_previous && !span.matched && next_matched) ||
        (behaviour == Behaviour::merged_with_next && span.matched && !last && !next_matched) ||
        (behaviour == Behaviour::contiguous && !last && next_matched == span.matched);
    if (!joins_next) out.end_piece();
  }
}

Pattern::Pattern(const Json& node) : place_(node.place()) {
  if (node.has("String")) {
    string_ = node.text("String");
    return;
  }
  if (!node.has("Regex")) node.unsupported("expected String or Regex");
  const std::string expression = node.text("Regex");
  UErrorCode status = U_ZERO_ERROR;
  UParseError error{};
  regex_.reset(icu::RegexPattern::compile(to_icu_syntax(expression),
                                          UREGEX_MULTILINE | UREGEX_UNIX_LINES, error, status));
  if (U_FAILURE(status)) {
    node.unsupported("regular expression '" + expression + "': " + u_errorName(status));
  }
}

std::vector<Span> Pattern::spans(std::string_view text, bool invert) const {
  std::vector<Span> spans = regex_ ? regex_spans(text) : string_spans(text);
  const std::size_t covered = spans.empty() ? 0 : spans.back().end;
  if (covered < text.size()) spans.push_back({covered, text.size(), false});
  if (invert) {
    for (Span& span : spans) span.matched = !span.matched;
  }
  return spans;
}

std::vector<Span> Pattern::string_spans(std::string_view text) const {
  std::vector<Span> spans;
  if (string_.empty()) return spans;
  for (std::size_t at = 0; (at = text.find(string_, at)) != std::string_view::npos;) {
    add_match(spans, at, at + string_.size());
    at += string_.size();
  }
  return spans;
}

std::vector<Span> Pattern::regex_spans(std::string_view text) const {
  check_size(text);
  const auto whole = icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::RegexMatcher> matcher(regex_->matcher(whole, status));
  if (U_SUCCESS(status)) {
    matcher->setTimeLimit(kMostSteps, status);
    matcher->setStackLimit(kMostStack, status);
  }
  std::vector<Span> spans;
  std::size_t at = 0;
  std::int32_t unit = 0;
  const auto byte_of = [&](std::int32_t to) {
    at = skip_units(text, at, to - unit);
    unit = to;
    return at;
  };
  while (U_SUCCESS(status) && matcher->find(status) != 0) {
    const std::size_t begin = byte_of(matcher->start(status));
    add_match(spans, begin, byte_of(matcher->end(status)));
  }
  if (U_FAILURE(status)) {
    throw Error(ErrorCode::invalid_argument, place_ + ": regular expression on a text of " +
                                                 std::to_string(text.size()) +
                                                 " bytes: " + u_errorName(status));
  }
  return spans;
}

std::string Pattern::replace(std::string_view text, std::string_view content) const {
  std::string out;
  for (const Span& span : spans(text)) {
    out.append(span.matched ? content : text.substr(span.begin, span.end - span.begin));
  }
  return out;
}

}  // namespace kith::tokenizer
