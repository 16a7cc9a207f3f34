// Dropout (Srivastava et al., 2014) whose zeros follow from a seed: the same wherever and whenever
// they are drawn, so that a step computed again, or on another thread, is the same step.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace kith::learn {

// One for each batch on its way through a model. The n-th call draws from the seed and n.
class Dropout {
 public:
  Dropout() = default;  // off: returns what it is given
  explicit Dropout(std::uint64_t seed) : on_(true), state_(seed) {}

  // Each value is 0 with the probability `rate`, to 1 / 65,536, and else divided by the share that
  // stays. No mask is kept for the gradient; it is drawn again. On other devices than the CPU the
  // zeros are LibTorch's own.
  at::Tensor operator()(const at::Tensor& x, double rate);

 private:
  bool on_ = false;
  std::uint64_t state_ = 0;
};

}  // namespace kith::learn
