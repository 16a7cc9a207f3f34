// Causal language modelling: each token from those before it, over sequences that lie one behind
// the other; with `counted`, on some tokens alone (the thoughts of O1 Embedder, Yan et al., 2025).
#pragma once

#include <cstddef>
#include <span>

#include "learn/tensor.h"

namespace kith::learn {

// Mean surprise at counted tokens, each judged by the state before it. `tokens` [T] (int64) and
// `hidden` [T, d] of all sequences; sequence s is begin[s] .. begin[s + 1] - 1 (begin starts with 0
// and ends with T), whose first token is never a target. `table` [V, d], `bias` [V] or undefined.
// `counted` [T] (bool) says which tokens count as targets, undefined: all. Where none counts it is
// 0, with a gradient of 0. Only states that judge a counted token are multiplied by the table.
// Throws kith::Error invalid_argument on shapes, types and bounds that do not fit and, where tokens
// lie in main memory, on targets outside 0 .. V - 1.
Tensor causal_lm(const Tensor& hidden, const Tensor& table, const Tensor& bias,
                 const Tensor& tokens, std::span<const std::size_t> begin, const Tensor& counted);

}  // namespace kith::learn
