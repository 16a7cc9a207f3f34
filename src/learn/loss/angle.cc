#include "learn/loss/angle.h"

#include <cmath>
#include <limits>

#include "learn/loss/check.h"
#include "learn/loss/cosent.h"
#include "learn/loss/similarity.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

void check(const Tensor& first, const Tensor& second, const Tensor& labels,
           const AngleOptions& options) {
  expect_shape("angle: first", first, {kAnySize, kAnySize});
  expect_shape("angle: second", second, {first.size(0), first.size(1)});
  expect_shape("angle: labels", labels, {first.size(0)});
  if (first.size(1) % 2 != 0) {
    refuse("angle: " + std::to_string(first.size(1)) +
           " dimensions, expected an even number: halves are real and imaginary parts");
  }
  expect_not_negative("angle: cosine_weight", options.cosine_weight);
  expect_not_negative("angle: angle_weight", options.angle_weight);
  expect_not_negative("angle: in_batch_weight", options.in_batch_weight);
  if (options.cosine_weight + options.angle_weight + options.in_batch_weight == 0) {
    refuse("angle: all weights are 0, expected one above 0");
  }
  expect_positive("angle: cosine_scale", options.cosine_scale);
  expect_positive("angle: angle_scale", options.angle_scale);
  expect_positive("angle: in_batch_scale", options.in_batch_scale);
  if (!std::isfinite(options.positive_label)) refuse("angle: positive_label is not finite");
}

// With x = a + bi and y = c + di of length 1: re = ac + bd, im = bc - ad, summed, [B].
Tensor angles(const Tensor& first, const Tensor& second) {
  const auto x = unit(first).chunk(2, 1), y = unit(second).chunk(2, 1);
  const Tensor &a = x[0], &b = x[1], &c = y[0], &d = y[1];
  return (a * c + b * d + b * c - a * d).sum(1).abs();
}

Tensor in_batch(const Tensor& first, const Tensor& second, const Tensor& together, double scale) {
  const Tensor texts = torch::cat({first, second});
  const std::int64_t batch = first.size(0), count = texts.size(0);
  const Tensor self = torch::eye(count, texts.options().dtype(torch::kBool));
  const Tensor logits = (similarities(texts, texts, Similarity::cosine) * scale)
                            .masked_fill(self, -std::numeric_limits<double>::infinity());
  const Tensor partner =
      torch::arange(count, texts.options().dtype(torch::kLong)).roll(batch).unsqueeze(1);
  const Tensor lost = logits.logsumexp(1) - logits.gather(1, partner).squeeze(1);
  const Tensor counted = together.repeat({2}).to(lost.scalar_type());
  return (lost * counted).sum() / counted.sum().clamp_min(1);
}

}  // namespace

Tensor angle(const Tensor& first, const Tensor& second, const Tensor& labels,
             const AngleOptions& options) {
  check(first, second, labels, options);
  Tensor loss = torch::zeros({}, first.options());
  if (options.cosine_weight > 0) {
    loss = loss + options.cosine_weight * cosent(first, second, labels, {options.cosine_scale});
  }
  if (options.angle_weight > 0) {
    loss =
        loss + options.angle_weight * ranking(angles(first, second) * options.angle_scale, labels);
  }
  if (options.in_batch_weight > 0) {
    loss =
        loss + options.in_batch_weight * in_batch(first, second, labels >= options.positive_label,
                                                  options.in_batch_scale);
  }
  return loss;
}

}  // namespace kith::learn
