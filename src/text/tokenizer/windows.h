// Cutting tokens to a length and filling encodings up to one.
#pragma once

#include <span>
#include <vector>

#include "json/json.h"
#include "kith/tokenizer.h"
#include "text/tokenizer/vocabulary.h"

namespace kith::tokenizer {

std::optional<Truncation> read_truncation(const Json& node);
std::optional<Padding> read_padding(const Json& node);

// The lengths that two texts of a pair are cut to, so that they have `most` tokens together.
struct Lengths {
  std::size_t first, second;
};
Lengths truncated_lengths(Lengths lengths, std::size_t most, Truncation::Strategy strategy);

// The windows of `length` tokens that cover all, neighbours sharing `stride`; the first is what
// truncation keeps. One window when all fits. Throws invalid_argument unless stride < length.
std::vector<std::span<const TokenId>> windows(std::span<const TokenId> ids, std::size_t length,
                                              std::size_t stride, Side side);

void pad(std::span<Encoding> encodings, const Padding& padding);

}  // namespace kith::tokenizer
