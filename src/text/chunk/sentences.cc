#include "kith/passages.h"
#include "text/chunk/breaks.h"

namespace kith {
namespace {

void add(std::string_view text, TextRange range, std::vector<TextRange>& out) {
  const TextRange part = chunk::trimmed(text, range);
  if (part.begin < part.end) out.push_back(part);
}

}  // namespace

std::vector<TextRange> paragraphs(std::string_view text) {
  std::vector<TextRange> found;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t newline = text.find('\n', at);
    const std::size_t end = newline == std::string_view::npos ? text.size() : newline + 1;
    const TextRange line = chunk::trimmed(text, {at, end});
    if (line.begin == line.end) {
      add(text, {begin, at}, found);
      begin = end;
    }
    at = end;
  }
  add(text, {begin, text.size()}, found);
  return found;
}

std::vector<TextRange> sentences(std::string_view text) {
  std::vector<TextRange> found;
  for (const TextRange paragraph : paragraphs(text)) {
    std::size_t begin = paragraph.begin;
    for (const std::size_t length : chunk::ends(paragraph.of(text), chunk::Break::sentence)) {
      const std::size_t end = paragraph.begin + length;
      add(text, {begin, end}, found);
      begin = end;
    }
  }
  return found;
}

}  // namespace kith
