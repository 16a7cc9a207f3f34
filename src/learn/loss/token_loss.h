// What objectives that predict tokens share: the surprise at each one, and where sequences end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "learn/tensor.h"

namespace kith::learn {

// -log softmax( hidden table' + bias )[target], [n]: hidden states [n, d], the vocabulary's vectors
// [V, d], bias [V] or undefined, targets [n] of int64 in 0 .. V - 1. n = 0 is allowed. Throws
// kith::Error invalid_argument, beginning with `loss`, on shapes and types that do not fit and,
// where targets lie in main memory, on targets out of range. Cost: n V d products, n V scores in
// memory.
Tensor token_losses(const std::string& loss, const Tensor& hidden, const Tensor& table,
                    const Tensor& bias, const Tensor& targets);

// Throws kith::Error invalid_argument, beginning with `loss`, unless `begin` cuts 0 .. tokens into
// sequences: sequence s is begin[s] .. begin[s + 1] - 1, which may be none.
void expect_begin(const std::string& loss, std::span<const std::size_t> begin, std::int64_t tokens);

// Throws kith::Error invalid_argument unless `x` is of type int64 (`what` names it).
void expect_ids(const std::string& what, const Tensor& x);

// Numbers as a tensor where `like` lies.
Tensor index_tensor(const std::vector<std::int64_t>& numbers, const Tensor& like);

}  // namespace kith::learn
