// Sums over the rows of each sequence.
#pragma once

#include <ATen/core/Tensor.h>

#include "learn/nn/tokens.h"

namespace kith::learn {

// rows [N, d] to [S, d].
at::Tensor sum_sequences(const at::Tensor& rows, const Tokens& tokens);

// 1 at tokens that count for pooling, [N] of floats: all, or those behind each sequence's prompt.
// Throws invalid_argument, naming the sequence, when one has nothing but its prompt.
at::Tensor counted_tokens(const Tokens& tokens, bool include_prompt);

// The mean over counted tokens, [S, d].
at::Tensor mean_sequences(const at::Tensor& rows, const Tokens& tokens, bool include_prompt);

// int64 [S]: the place of each sequence's first or last token.
at::Tensor first_tokens(const Tokens& tokens);
at::Tensor last_tokens(const Tokens& tokens);

}  // namespace kith::learn
