// Small tokenizer.json documents for tests.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kith/tokenizer.h"

namespace kith::tokenizer {

inline nlohmann::json word_level(const std::vector<std::string>& words) {
  nlohmann::json vocab = {{"[UNK]", 0}};
  for (const std::string& word : words) vocab[word] = vocab.size();
  return {{"model", {{"type", "WordLevel"}, {"unk_token", "[UNK]"}, {"vocab", vocab}}}};
}

inline Tokenizer tokenizer_of(const nlohmann::json& json) {
  return Tokenizer::parse(json.dump(), "test.json");
}

using Ids = std::vector<std::uint32_t>;

}  // namespace kith::tokenizer
