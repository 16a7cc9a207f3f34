// Where a tokenizer cuts a normalised text before its model looks at the parts. Immutable: any
// number of threads may cut at once.
#pragma once

#include <memory>
#include <string_view>

#include "json/json.h"
#include "text/tokenizer/pieces.h"

namespace kith::tokenizer {

class PreTokeniser {
 public:
  virtual ~PreTokeniser() = default;
  // Adds the parts of `text`, well-formed UTF-8, to `out`. `first` says that the whole text begins
  // with it.
  virtual void cut(std::string_view text, bool first, Pieces& out) const = 0;
};

// Null for null. Throws unsupported naming a type that it doesn't know.
std::unique_ptr<PreTokeniser> read_pre_tokeniser(const Json& node);

}  // namespace kith::tokenizer
