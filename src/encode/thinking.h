// Models that write a thought before they embed a query: what their folder says of it, and how
// texts are laid out. R. Yan et al., "O1 Embedder: let retrievers think before action", 2025.
//
//   query:     [lead] <query> text </query> <thought> thought end <embed>
//   document:  [lead] text <embed>
//
// The state of the last token stands for the text. [lead] is what the tokenizer begins texts with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kith/tokenizer.h"

namespace kith::encode {

inline constexpr const char* kThinkingFile = "thinking.json";

struct Thinking {
  // Ids of the tokens between the parts.
  std::uint32_t query, query_end, thought, end, embed;
  std::vector<std::uint32_t> lead;
  std::size_t query_tokens = 32, thought_tokens = 128;  // what texts and thoughts are cut to

  // The parts of sequences. What a text holds of the tokens above itself is left out.
  std::vector<std::uint32_t> prompt(const Tokenizer& tokenizer, std::string_view query) const;
  // Behind a prompt: an empty thought has no end either.
  void finish(std::span<const std::uint32_t> thought_ids,
              std::vector<std::uint32_t>& sequence) const;
  std::vector<std::uint32_t> document(const Tokenizer& tokenizer, std::string_view text,
                                      std::size_t most) const;
};

// The names of the tokens, as thinking.json has them.
struct ThinkingNames {
  std::string query = "<query>", query_end = "</query>", thought = "<thought>", end = "</s>",
              embed = "<emb>";
};

// Throws invalid_argument where the tokenizer lacks one of the tokens.
Thinking thinking_of(const ThinkingNames& names, const Tokenizer& tokenizer);
// Nothing where the folder has no thinking.json. Throws corrupt, naming the key.
std::optional<Thinking> read_thinking(const std::string& folder, const Tokenizer& tokenizer);
// thinking.json's content.
std::string thinking_json(const ThinkingNames& names, const Thinking& thinking);

}  // namespace kith::encode
