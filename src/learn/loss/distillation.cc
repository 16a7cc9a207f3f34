#include "learn/loss/distillation.h"

#include <cmath>
#include <string>

#include "learn/loss/check.h"
#include "learn/loss/similarity.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

void check(const std::string& loss, const Tensor& student, const Tensor& teacher) {
  expect_shape(loss + ": student", student, {kAnySize, kAnySize});
  expect_shape(loss + ": teacher", teacher, {student.size(0), student.size(1)});
}

}  // namespace

Tensor distil_softmax(const Tensor& student, const Tensor& teacher, const DistilOptions& options) {
  check("distil_softmax", student, teacher);
  expect_positive("distil_softmax: temperature", options.temperature);
  expect_not_negative("distil_softmax: power", options.power);
  const Tensor target = options.detach_teacher ? teacher.detach() : teacher;
  const Tensor log_p = (target / options.temperature).log_softmax(1);
  const Tensor log_q = (student / options.temperature).log_softmax(1);
  const Tensor p = log_p.exp();
  // A share of 0 adds 0, even where the logarithms are both -inf.
  const Tensor none = p == 0;
  const Tensor terms = p * (log_p.masked_fill(none, 0) - log_q.masked_fill(none, 0));
  return std::pow(options.temperature, options.power) * terms.sum(1).mean();
}

Tensor distil_cosine(const Tensor& student, const Tensor& teacher) {
  check("distil_cosine", student, teacher);
  return 1 - similarity(student, teacher.detach(), Similarity::cosine).mean();
}

Tensor distil_mse(const Tensor& student, const Tensor& teacher) {
  check("distil_mse", student, teacher);
  return (student - teacher.detach()).square().mean();
}

}  // namespace kith::learn
