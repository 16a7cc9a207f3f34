#include "learn/nn/dropout.h"

#include <gtest/gtest.h>

#include "kith/error.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

TEST(Dropout, KeepsTheMeanAndDropsTheRate) {
  for (const double rate : {0.02, 0.1, 0.5, 0.9}) {
    Dropout dropout(7);
    const at::Tensor x = torch::ones({1000, 401});
    const at::Tensor y = dropout(x, rate);
    const double zeros = (y == 0).to(torch::kFloat64).mean().item<double>();
    EXPECT_NEAR(zeros, rate, 0.003);
    EXPECT_NEAR(y.mean().item<double>(), 1, 0.02);
    EXPECT_NEAR(y.max().item<double>(), 1 / (1 - rate), 1e-3 / (1 - rate));
  }
}

TEST(Dropout, FollowsFromItsSeedAndTheNumberOfTheCall) {
  const at::Tensor x = torch::ones({100, 7});
  Dropout a(1), b(1), c(2);
  const at::Tensor first = a(x, 0.3), second = a(x, 0.3);
  EXPECT_TRUE(torch::equal(first, b(x, 0.3)));
  EXPECT_FALSE(torch::equal(first, second));
  EXPECT_FALSE(torch::equal(first, c(x, 0.3)));
}

TEST(Dropout, GradientsPassWhereValuesDo) {
  const at::Tensor x = torch::randn({50, 9}).requires_grad_();
  Dropout dropout(3);
  const at::Tensor y = dropout(x, 0.4);
  const at::Tensor weights = torch::randn({50, 9});
  (y * weights).sum().backward();
  const at::Tensor kept = (y != 0).to(torch::kFloat32);
  EXPECT_TRUE(torch::allclose(x.grad(), weights * kept / 0.6, 1e-4, 1e-4));
}

TEST(Dropout, ValuesOfNeighboursAreIndependent) {
  Dropout dropout(5);
  const at::Tensor y = (dropout(torch::ones({200000}), 0.5) == 0).to(torch::kFloat64) - 0.5;
  for (const std::int64_t lag : {1, 2, 3, 4, 8, 64, 128, 1024}) {
    const at::Tensor a = y.slice(0, 0, y.size(0) - lag), b = y.slice(0, lag);
    EXPECT_NEAR((a * b).mean().item<double>() * 4, 0, 0.012) << lag;
  }
}

TEST(Dropout, OffReturnsWhatItIsGivenAndWrongRatesAreRefused) {
  Dropout off, on(1);
  const at::Tensor x = torch::randn({3});
  EXPECT_TRUE(off(x, 0.5).is_same(x));
  EXPECT_TRUE(on(x, 0).is_same(x));
  EXPECT_THROW(on(x, 1), Error);
  EXPECT_THROW(on(x, -0.1), Error);
}

}  // namespace
}  // namespace kith::learn
