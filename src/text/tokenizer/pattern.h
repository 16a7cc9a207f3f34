// What Split and Replace look for: a string as it is, or a regular expression in the syntax that
// Hugging Face's files use (Oniguruma's), run by ICU. Immutable: any number of threads may match.
#pragma once

#include <unicode/regex.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"
#include "text/tokenizer/pieces.h"

namespace kith::tokenizer {

// What becomes of the parts that a pattern matches.
enum class Behaviour : std::uint8_t {
  removed,
  isolated,              // each is a piece of its own
  merged_with_previous,  // it ends the piece before it
  merged_with_next,      // it begins the piece after it
  contiguous,            // neighbouring ones are one piece
};

Behaviour behaviour_of(const Json& node, Behaviour otherwise);

struct Span {
  std::size_t begin, end;  // bytes
  bool matched;
};

// Puts spans that cover `text` (neighbours unmerged) into pieces.
void cut(std::string_view text, const std::vector<Span>& spans, Behaviour behaviour, Pieces& out);

class Pattern {
 public:
  // {"String": …} or {"Regex": …}; unsupported when ICU can't read the expression.
  explicit Pattern(const Json& node);

  // Spans that cover the text, matches and what lies between. `invert` turns matched around.
  // Throws invalid_argument when an expression needs more steps than a text could deserve.
  std::vector<Span> spans(std::string_view text, bool invert = false) const;
  std::string replace(std::string_view text, std::string_view content) const;

 private:
  std::vector<Span> regex_spans(std::string_view text) const;
  std::vector<Span> string_spans(std::string_view text) const;

  std::string string_, place_;
  std::unique_ptr<icu::RegexPattern> regex_;
};

}  // namespace kith::tokenizer
