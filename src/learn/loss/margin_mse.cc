#include "learn/loss/margin_mse.h"

#include "learn/loss/check.h"
#include "learn/torch.h"

namespace kith::learn {

Tensor margin_mse(const Tensor& scores, const Tensor& teacher) {
  expect_shape("margin_mse: scores", scores, {kAnySize, kAnySize});
  expect_shape("margin_mse: teacher", teacher, {scores.size(0), scores.size(1)});
  if (scores.size(1) == 1) refuse("margin_mse: 1 score a row, expected a positive's and others");
  const auto leads = [](const Tensor& x) {
    return x.narrow(1, 0, 1) - x.narrow(1, 1, x.size(1) - 1);
  };
  return (leads(scores) - leads(teacher.detach())).square().mean();
}

}  // namespace kith::learn
