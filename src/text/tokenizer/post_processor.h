// What a tokenizer puts around and between the tokens of its texts: [CLS], [SEP] and the like.
// Immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "json/json.h"
#include "text/tokenizer/vocabulary.h"

namespace kith::tokenizer {

// A place in the result: a token, or the whole of the first or second text.
struct Slot {
  enum class What : std::uint8_t { token, first, second };
  What what = What::token;
  TokenId id = 0;
  std::uint32_t type = 0;  // the token type of all that stands there
};

struct Template {
  std::vector<Slot> single, pair;
};

// The template that a post_processor, null included, comes to. Throws unsupported naming a type
// that it doesn't know.
Template read_template(const Json& node);

// How many tokens a template adds.
std::size_t added_tokens(const std::vector<Slot>& slots);

}  // namespace kith::tokenizer
