// Compares the gradient that autograd finds with the slope that is measured.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "learn/tensor.h"
#include "learn/torch.h"

namespace kith::learn {

// For every value of every input (doubles): (loss(x + h) - loss(x - h)) / 2h against the gradient,
// within 1e-6 of the larger of it and 1. With h = 1e-6 rounding adds about 1e-10, and the third
// derivative of a loss of temperature 0.05 about 1e-8. An input that the loss does not use has
// gradient 0.
inline void expect_gradients(const std::function<Tensor(const std::vector<Tensor>&)>& loss,
                             std::vector<Tensor> inputs) {
  constexpr double kStep = 1e-6, kTolerance = 1e-6;
  for (Tensor& x : inputs) x = x.detach().clone().contiguous().requires_grad_();
  const Tensor result = loss(inputs);
  ASSERT_EQ(result.dim(), 0);
  result.backward();
  const torch::NoGradGuard no_grad;
  for (std::size_t which = 0; which < inputs.size(); ++which) {
    const Tensor& x = inputs[which];
    const Tensor gradient =
        x.grad().defined() ? x.grad().contiguous() : torch::zeros_like(x).contiguous();
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      double& place = x.data_ptr<double>()[i];
      const double kept = place;
      place = kept + kStep;
      const double above = loss(inputs).item<double>();
      place = kept - kStep;
      const double below = loss(inputs).item<double>();
      place = kept;
      const double slope = (above - below) / (2 * kStep);
      EXPECT_NEAR(gradient.data_ptr<double>()[i], slope,
                  kTolerance * std::max(1.0, std::abs(slope)))
          << "input " << which << ", value " << i;
    }
  }
}

}  // namespace kith::learn
