// Masked language modelling: the tokens that were at hidden places (Devlin et al., 2019).
#pragma once

#include "learn/tensor.h"

namespace kith::learn {

// Mean surprise at `targets` [n] (int64), the tokens of the n chosen places: `hidden` [n, d] are
// the states of these places alone, since scores of all places would take most of a step's time.
// `table` [V, d] holds the vocabulary's vectors, `bias` [V] may be undefined. n = 0 gives 0, with a
// gradient of 0. Throws kith::Error invalid_argument on shapes and types that do not fit and, where
// targets lie in main memory, on targets outside 0 .. V - 1.
Tensor masked_lm(const Tensor& hidden, const Tensor& table, const Tensor& bias,
                 const Tensor& targets);

}  // namespace kith::learn
