#include "learn/loss/concepts.h"

#include "learn/loss/check.h"
#include "learn/torch.h"

namespace kith::learn {

Tensor concept_loss(const Tensor& log_odds, const Tensor& given, const Tensor& positive_weights,
                    double absent) {
  expect_shape("concepts: log-odds", log_odds, {kAnySize, kAnySize});
  expect_shape("concepts: given", given, {log_odds.size(0), log_odds.size(1)});
  expect_shape("concepts: positive weights", positive_weights, {log_odds.size(1)});
  expect_positive("concepts: absent weight", absent);
  const Tensor y = given.to(log_odds.scalar_type());
  const Tensor listed = (y.sum(1, true) > 0).to(log_odds.scalar_type());
  const Tensor positive = y * positive_weights, negative = (1 - y) * absent * listed;
  // -ln sigmoid(z) = softplus(-z), and -ln(1 - sigmoid(z)) = softplus(z).
  const auto softplus = [](const Tensor& x) { return torch::nn::functional::softplus(x); };
  const Tensor losses = positive * softplus(-log_odds) + negative * softplus(log_odds);
  return losses.sum() / (positive + negative).sum().clamp_min(1e-12);
}

}  // namespace kith::learn
