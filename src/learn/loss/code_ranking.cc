#include "learn/loss/code_ranking.h"

#include <algorithm>

#include "learn/loss/check.h"
#include "learn/loss/list_losses.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

constexpr double kFar = -1e4;  // e to this, over any temperature that is used, is 0

Tensor nce(const Tensor& student, const Tensor& teacher, const Tensor& masked,
           const CodeRankingOptions& options) {
  constexpr double kSame = 1e-6;  // rounding of equal cosines
  const Tensor own = teacher.diagonal().unsqueeze(1);
  Tensor wrong = teacher.lt(own - kSame).logical_and(masked.logical_not());
  if (options.hard > 0 && options.hard < teacher.size(1)) {
    const Tensor nearness = teacher.masked_fill(wrong.logical_not(), kFar);
    const Tensor hard = std::get<1>(nearness.topk(options.hard, 1));
    wrong = wrong.logical_and(torch::zeros_like(wrong).scatter_(1, hard, true));
  }
  const Tensor open = torch::eye(student.size(0), student.size(1),
                                 torch::TensorOptions(torch::kBool).device(student.device()))
                          .logical_or(wrong);
  const Tensor scores = (student / options.temperature).masked_fill(open.logical_not(), kFar);
  return -scores.log_softmax(1).diagonal().mean();
}

}  // namespace

Tensor code_ranking_loss(const Tensor& student, const Tensor& teacher, const Tensor& masked,
                         const CodeRankingOptions& options) {
  expect_shape("code_ranking: student", student, {kAnySize, kAnySize});
  const std::int64_t rows = student.size(0), candidates = student.size(1);
  expect_shape("code_ranking: teacher", teacher, {rows, candidates});
  expect_shape("code_ranking: masked", masked, {rows, candidates});
  if (candidates < rows) {
    refuse("code_ranking: " + std::to_string(candidates) + " candidates for " +
           std::to_string(rows) + " queries, expected one of each at least");
  }
  expect_positive("code_ranking: temperature", options.temperature);
  for (const double weight : {options.nce, options.distillation, options.squares}) {
    expect_not_negative("code_ranking: weight", weight);
  }
  const Tensor target = teacher.detach();
  Tensor loss = torch::zeros({}, student.options());
  if (options.nce > 0) loss = loss + options.nce * nce(student, target, masked, options);
  if (options.distillation > 0) {
    const Tensor s = student.masked_fill(masked, kFar), t = target.masked_fill(masked, kFar);
    loss = loss + options.distillation * (list_loss("listnet", s, t, options.temperature) +
                                          options.squares * list_loss("mse", s, t, 1));
  }
  return loss;
}

}  // namespace kith::learn
