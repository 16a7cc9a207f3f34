#include "learn/loss/list_losses.h"

#include "learn/loss/check.h"
#include "learn/refuse.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

Tensor ranknet(const Tensor& student, const Tensor& teacher) {
  const auto pairs = [](const Tensor& scores) { return scores.unsqueeze(2) - scores.unsqueeze(1); };
  const Tensor wanted = pairs(teacher.softmax(1)).clamp_min(0);
  const Tensor terms = -wanted * torch::log_sigmoid(pairs(student));
  constexpr double kLeast = 1e-12;
  return (terms.sum({1, 2}) / wanted.sum({1, 2}).clamp_min(kLeast)).mean();
}

}  // namespace

Tensor list_loss(const std::string& name, const Tensor& student, const Tensor& teacher,
                 double temperature) {
  expect_shape(name + ": student", student, {kAnySize, kAnySize});
  expect_shape(name + ": teacher", teacher, {student.size(0), student.size(1)});
  expect_positive(name + ": temperature", temperature);
  const Tensor target = teacher.detach();
  if (name == "mse") return (student - target).square().mean();
  if (name == "margin_mse") {
    const Tensor best = target.argmax(1, true);
    const Tensor margins = student - student.gather(1, best) - (target - target.gather(1, best));
    return margins.square().mean();
  }
  const Tensor s = student / temperature, t = target / temperature;
  if (name == "listnet") return -(t.softmax(1) * s.log_softmax(1)).sum(1).mean();
  if (name == "kl") return (s.softmax(1) * (s.log_softmax(1) - t.log_softmax(1))).sum(1).mean();
  if (name == "ranknet") return ranknet(s, t);
  refuse("loss '" + name + "', expected listnet, kl, mse, margin_mse or ranknet");
}

}  // namespace kith::learn
