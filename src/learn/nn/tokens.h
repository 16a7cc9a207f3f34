// Token sequences as a transformer takes them: one behind the other without padding, with what
// attention needs to lay them out side by side.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "kith/encoder.h"

namespace kith::learn {

struct Tokens {
  at::Tensor ids, types;            // int64 [N], N tokens of all sequences
  std::vector<std::int64_t> begin;  // where each sequence begins, and N
  at::Tensor sequence, position;    // int64 [N]: which sequence a token is of, its place there
  at::Tensor lengths;               // float [S]
  at::Tensor prompts;               // int64 [S]: leading tokens that are a prompt
  // bool [N]: tokens that the model is to write itself (thoughts, O1 Embedder); or undefined.
  at::Tensor taught = {};
  std::int64_t longest = 0;

  std::int64_t count() const { return begin.back(); }
  std::int64_t sequences() const { return static_cast<std::int64_t>(begin.size()) - 1; }
  // Sequences [first, first + some).
  Tokens slice(std::int64_t first, std::int64_t some) const;
  Tokens to(const at::Device& device) const;
};

// Some sequences of a batch, the first of which is its `first`.
struct TokensPart {
  Tokens tokens;
  std::int64_t first = 0;
};
// At most `most` sequences each, in order.
std::vector<TokensPart> cut(const Tokens& tokens, std::int64_t most);

// Throws invalid_argument for an empty sequence, naming it.
Tokens pack_tokens(std::span<const TokenSequence> sequences);

}  // namespace kith::learn
