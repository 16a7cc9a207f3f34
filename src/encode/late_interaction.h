// Late interaction (Khattab and Zaharia, "ColBERT", 2020): a model that gives a vector for each
// token, of which texts are compared by MaxSim (kith/maxsim.h). How its folder says so is PyLate's:
// members of config_sentence_transformers.json, and modules without a pooling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "encode/prompted_texts.h"
#include "json/json.h"
#include "kith/tokenizer.h"

namespace kith::encode {

struct LateInteraction {
  std::size_t query_tokens = 32, document_tokens = 180;  // texts are cut to; ColBERT's and PyLate's
  // Queries are filled up to query_tokens by mask tokens ("query augmentation", ColBERT, 3.2).
  bool expand_queries = false;
  // Whether other tokens see these. Models where they don't can embed documents only.
  bool expansion_seen = true;
  std::vector<std::string> skipped = {};  // words whose vectors documents leave out
};

// Whether the folder's config_sentence_transformers.json says so: "similarity_fn_name": "MaxSim".
bool is_late_interaction(const std::string& folder);

// None of another model. Its prefixes become the prompts "query" and "document", unless there are
// such. Throws corrupt for settings that can't be.
std::optional<LateInteraction> read_late_interaction(const std::string& folder, Prompts& prompts);
// The same of the file's content.
std::optional<LateInteraction> late_interaction_of(const Json& json, Prompts& prompts);

// What config_sentence_transformers.json says of it and of the prompts. A prompt "query" or
// "document" that is a token of the vocabulary is written as a prefix.
nlohmann::ordered_json late_interaction_json(const LateInteraction& late, const Prompts& prompts,
                                             const Tokenizer& tokenizer);

// The punctuation that ColBERT leaves out: ASCII's.
std::vector<std::string> punctuation();
// The skipped words that are tokens, ascending.
std::vector<std::uint32_t> skipped_ids(const LateInteraction& late, const Tokenizer& tokenizer);

// Throws unsupported where the vocabulary has no "[MASK]" or "<mask>".
std::uint32_t mask_token(const Tokenizer& tokenizer);
// Fills up with mask tokens.
void expand(Encoding& encoding, std::uint32_t mask, std::size_t tokens);

}  // namespace kith::encode
