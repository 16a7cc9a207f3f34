// How alike two vectors are, for objectives. Zero vectors have cosine 0 with every vector, and a
// gradient of 0: nothing says in which direction to move them.
#pragma once

#include "learn/tensor.h"

namespace kith::learn {

enum class Similarity { cosine, dot };

Tensor unit(const Tensor& x);  // [..., d], each vector divided by its length

// Row by row: [..., d] and [..., d] give [...].
Tensor similarity(const Tensor& a, const Tensor& b, Similarity kind);

// All with all: [n, d] and [m, d] give [n, m].
Tensor similarities(const Tensor& a, const Tensor& b, Similarity kind);

}  // namespace kith::learn
