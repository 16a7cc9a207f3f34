// Future token prediction: the next N tokens of a place from that place's state, near ones weighing
// more (Walker, 2024).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "learn/tensor.h"

namespace kith::learn {

inline constexpr std::int64_t kNoToken = -1;  // a target beyond the end of its sequence

struct FutureTokensOptions {
  double decay = 0.8;  // the paper's, from memory; 0 is the next token alone, 1 weighs all alike
};

// Mean over places of sum_k decay^(k-1) CE_k / sum_k decay^(k-1), k = 1 .. N, where both sums leave
// out targets that are kNoToken. Places whose weights add up to 0 are left out of the mean; where
// all are, it is 0 with a gradient of 0. `states` [P, N, d] are the decoder's (state k - 1 judges
// target k), `targets` [P, N] of int64, `table` [V, d], `bias` [V] or undefined. Throws kith::Error
// invalid_argument on shapes and types that do not fit, a decay outside 0 .. 1 and, where targets
// lie in main memory, on targets outside -1 .. V - 1.
Tensor future_tokens(const Tensor& states, const Tensor& table, const Tensor& bias,
                     const Tensor& targets, const FutureTokensOptions& options = {});

// The `count` tokens after each place, [P, count]: `tokens` [T] (int64), sequence s is begin[s] ..
// begin[s + 1] - 1, `places` are in 0 .. T - 1. Throws kith::Error invalid_argument on what does
// not fit and count < 1.
Tensor future_targets(const Tensor& tokens, std::span<const std::size_t> begin,
                      std::span<const std::size_t> places, std::int64_t count);

}  // namespace kith::learn
