// Texts with a prompt before them, as tokens, and the prompts that a model's folder names: what
// running a model and training one share.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kith/control.h"
#include "kith/tokenizer.h"

namespace kith::encode {

// config_sentence_transformers.json.
struct Prompts {
  std::map<std::string, std::string> by_name;
  std::string usual;  // the name of the one used by default; empty: none
};
// None where the folder has no such file. Throws corrupt for a default without a prompt.
Prompts read_prompts(const std::string& folder);

// Tokens of the prompt by itself without those that end a text, as they stand before every text;
// `special`: with those in front.
std::size_t prompt_tokens(const Tokenizer& tokenizer, const std::string& prompt, bool special);

// Each text between `prompt` and `end`, cut and without padding; `special`: with what the tokenizer
// adds to texts.
std::vector<Encoding> tokenize(const Tokenizer& tokenizer, std::span<const std::string_view> texts,
                               const std::string& prompt, const std::string& end,
                               const std::optional<Truncation>& truncation, bool special,
                               const Control& control);

}  // namespace kith::encode
