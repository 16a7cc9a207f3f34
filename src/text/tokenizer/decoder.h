// From tokens back to a text. Immutable: any number of threads may decode at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "json/json.h"

namespace kith::tokenizer {

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Changes tokens into the parts of the text, which are then written one after the other.
  virtual void apply(std::vector<std::string>& tokens) const = 0;
};

// Null for null. Throws unsupported naming a type that it doesn't know.
std::unique_ptr<Decoder> read_decoder(const Json& node);

}  // namespace kith::tokenizer
