#include "learn/nn/tokens.h"

#include <algorithm>

#include "kith/error.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

at::Tensor whole(const std::vector<std::int64_t>& values) {
  return torch::tensor(values, torch::kInt64);
}

// What follows from where sequences begin.
void derive(Tokens& tokens) {
  std::vector<std::int64_t> sequence, position, lengths;
  for (std::int64_t s = 0; s < tokens.sequences(); ++s) {
    const std::int64_t length = tokens.begin[s + 1] - tokens.begin[s];
    for (std::int64_t i = 0; i < length; ++i) {
      sequence.push_back(s);
      position.push_back(i);
    }
    lengths.push_back(length);
    tokens.longest = std::max(tokens.longest, length);
  }
  tokens.sequence = whole(sequence);
  tokens.position = whole(position);
  tokens.lengths = whole(lengths).to(torch::kFloat32);
}

}  // namespace

Tokens pack_tokens(std::span<const TokenSequence> sequences) {
  std::vector<std::int64_t> ids, types, prompts;
  Tokens tokens;
  tokens.begin = {0};
  for (const TokenSequence& sequence : sequences) {
    if (sequence.ids.empty()) {
      throw Error(ErrorCode::invalid_argument,
                  "sequence " + std::to_string(prompts.size()) + ": no tokens");
    }
    ids.insert(ids.end(), sequence.ids.begin(), sequence.ids.end());
    types.insert(types.end(), sequence.types.begin(), sequence.types.end());
    types.resize(ids.size());
    prompts.push_back(static_cast<std::int64_t>(sequence.prompt));
    tokens.begin.push_back(static_cast<std::int64_t>(ids.size()));
  }
  tokens.ids = whole(ids);
  tokens.types = whole(types);
  tokens.prompts = whole(prompts);
  derive(tokens);
  return tokens;
}

Tokens Tokens::slice(std::int64_t first, std::int64_t some) const {
  Tokens part;
  const std::int64_t from = begin[first], count = begin[first + some] - from;
  part.ids = ids.narrow(0, from, count);
  part.types = types.narrow(0, from, count);
  part.prompts = prompts.narrow(0, first, some);
  if (taught.defined()) part.taught = taught.narrow(0, from, count);
  part.begin.clear();
  for (std::int64_t s = first; s <= first + some; ++s) part.begin.push_back(begin[s] - from);
  derive(part);
  return part.to(ids.device());
}

std::vector<TokensPart> cut(const Tokens& tokens, std::int64_t most) {
  std::vector<TokensPart> parts;
  const std::int64_t all = tokens.sequences();
  for (std::int64_t at = 0; at < all; at += most) {
    parts.push_back({tokens.slice(at, std::min(most, all - at)), at});
  }
  return parts;
}

Tokens Tokens::to(const at::Device& device) const {
  Tokens moved = *this;
  for (at::Tensor* each : {&moved.ids, &moved.types, &moved.sequence, &moved.position,
                           &moved.lengths, &moved.prompts}) {
    *each = each->to(device);
  }
  if (taught.defined()) moved.taught = taught.to(device);
  return moved;
}

}  // namespace kith::learn
