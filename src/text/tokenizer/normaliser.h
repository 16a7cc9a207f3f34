// What a tokenizer does to a text before it cuts it up. Immutable: any number of threads may apply
// one at once.
#pragma once

#include <memory>
#include <string>

#include "json/json.h"

namespace kith::tokenizer {

class Normaliser {
 public:
  virtual ~Normaliser() = default;
  // In place; `text` is well-formed UTF-8 before and after.
  virtual void apply(std::string& text) const = 0;
};

// Null for null. Throws unsupported naming a type that it doesn't know.
std::unique_ptr<Normaliser> read_normaliser(const Json& node);

}  // namespace kith::tokenizer
