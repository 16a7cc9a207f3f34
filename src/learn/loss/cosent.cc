#include "learn/loss/cosent.h"

#include <limits>

#include "learn/loss/check.h"
#include "learn/loss/similarity.h"
#include "learn/torch.h"

namespace kith::learn {

Tensor ranking(const Tensor& scores, const Tensor& labels) {
  expect_shape("ranking: scores", scores, {kAnySize});
  expect_shape("ranking: labels", labels, {scores.size(0)});
  const Tensor below = labels.unsqueeze(1) < labels.unsqueeze(0);
  const Tensor excess = (scores.unsqueeze(1) - scores.unsqueeze(0))
                            .masked_fill(~below, -std::numeric_limits<double>::infinity());
  const Tensor one = torch::zeros({1}, scores.options());  // e^0
  return torch::cat({one, excess.flatten()}).logsumexp(0);
}

Tensor cosent(const Tensor& first, const Tensor& second, const Tensor& labels,
              const CosentOptions& options) {
  expect_shape("cosent: first", first, {kAnySize, kAnySize});
  expect_shape("cosent: second", second, {first.size(0), first.size(1)});
  expect_shape("cosent: labels", labels, {first.size(0)});
  expect_positive("cosent: scale", options.scale);
  return ranking(similarity(first, second, Similarity::cosine) * options.scale, labels);
}

}  // namespace kith::learn
