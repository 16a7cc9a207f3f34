#include "learn/loss/gradient_check.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

Tensor half_blind(const std::vector<Tensor>& x) { return (x[0] * x[0].detach()).sum(); }
Tensor slightly_off(const std::vector<Tensor>& x) { return (x[0] + 1e-5 * x[0].detach()).sum(); }

TEST(GradientCheck, FindsGradientsThatAreWrong) {
  EXPECT_NONFATAL_FAILURE(expect_gradients(half_blind, {doubles({0.5})}), "input 0, value 0");
  EXPECT_NONFATAL_FAILURE(expect_gradients(slightly_off, {doubles({0.5})}), "input 0, value 0");
}

TEST(GradientCheck, TakesGradientsThatAreRightAndInputsWithoutUse) {
  expect_gradients([](const std::vector<Tensor>& x) { return x[0].pow(3).sum(); },
                   {doubles({0.5, -2, 0}), doubles({1})});
}

}  // namespace
}  // namespace kith::learn
