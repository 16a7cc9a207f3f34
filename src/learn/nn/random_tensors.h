// How tensors that are trained from scratch start: the same values for the same generator, whatever
// LibTorch's own random numbers are.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "base/random.h"

namespace kith::learn {

// N(0, spread^2).
at::Tensor normal_tensor(at::IntArrayRef shape, Random& random, double spread = 1);
// A dense layer's weight or bias as PyTorch starts them: uniform within 1 / sqrt(inputs).
at::Tensor uniform_tensor(at::IntArrayRef shape, std::int64_t inputs, Random& random);

}  // namespace kith::learn
