#include "text/chunk/breaks.h"

#include <unicode/brkiter.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "kith/error.h"
#include "text/tokenizer/unicode.h"

namespace kith::chunk {
namespace {

// "ss" leaves out breaks after abbreviations.
constexpr const char* kSentenceRules = "en@ss=standard";

void check(UErrorCode status) {
  if (U_FAILURE(status)) {
    throw Error(ErrorCode::unsupported, std::string("Unicode text breaks: ") + u_errorName(status));
  }
}

std::unique_ptr<icu::BreakIterator> rules(Break kind) {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> found(
      kind == Break::sentence
          ? icu::BreakIterator::createSentenceInstance(icu::Locale(kSentenceRules), status)
          : icu::BreakIterator::createLineInstance(icu::Locale::getRoot(), status));
  check(status);
  return found;
}

}  // namespace

std::vector<std::size_t> ends(std::string_view text, Break kind) {
  tokenizer::check_size(text);
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  const auto breaks = rules(kind);
  UErrorCode status = U_ZERO_ERROR;
  UText reader = UTEXT_INITIALIZER;
  utext_openUTF8(&reader, line.data(), static_cast<std::int64_t>(line.size()), &status);
  breaks->setText(&reader, status);
  check(status);
  std::vector<std::size_t> found;
  for (std::int32_t at = breaks->next(); at != icu::BreakIterator::DONE; at = breaks->next()) {
    found.push_back(static_cast<std::size_t>(at));
  }
  utext_close(&reader);
  return found;
}

TextRange trimmed(std::string_view text, TextRange range) {
  const std::string_view part = tokenizer::trim_end(range.of(text));
  const std::string_view inner = tokenizer::trim_start(part);
  const std::size_t begin = range.begin + (part.size() - inner.size());
  return {begin, begin + inner.size()};
}

}  // namespace kith::chunk
