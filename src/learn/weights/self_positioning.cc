#include "learn/weights/self_positioning.h"

#include <cmath>
#include <numbers>

#include "kith/error.h"
#include "learn/torch.h"
#include "learn/train/optimiser.h"
#include "learn/weights/slerp.h"

namespace kith::learn {
namespace {

void check(const SelfPositioningOptions& options) {
  const auto refuse = [](const char* name, double value, const char* expected) {
    throw Error(ErrorCode::invalid_argument,
                std::string(name) + " " + std::to_string(value) + ", expected " + expected);
  };
  const auto positive = [](double x) { return x >= 0 && std::isfinite(x); };
  if (options.steps < 0) refuse("steps", static_cast<double>(options.steps), "0 or more");
  if (!positive(options.weight_rate)) refuse("weight_rate", options.weight_rate, "0 or more");
  if (!positive(options.scale_rate)) refuse("scale_rate", options.scale_rate, "0 or more");
  if (!positive(options.penalty)) refuse("penalty", options.penalty, "0 or more");
  if (!(options.momentum >= 0 && options.momentum < 1)) {
    refuse("momentum", options.momentum, "a number from 0 to below 1");
  }
}

// What is searched: N + 1 numbers, of which a and lambda are made so that they stay above 0.
struct Position {
  at::Tensor rho, log_scale;

  explicit Position(std::int64_t count)
      : rho(torch::full({count}, std::log(std::numbers::e - 1), torch::kDouble)),  // softplus: 1
        log_scale(torch::zeros({1}, torch::kDouble)) {
    rho.set_requires_grad(true);
    log_scale.set_requires_grad(true);
  }

  at::Tensor weights() const { return torch::softplus(rho); }
  at::Tensor scale() const { return log_scale.exp(); }
};

std::vector<double> numbers(const at::Tensor& x) {
  const at::Tensor values = x.detach().contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

}  // namespace

SelfPositioning self_position(const TaskVectors& vectors, const Parameters& model,
                              const GradientStep& loss, const SelfPositioningOptions& options) {
  check(options);
  const ScaledModel scaled(vectors, model);
  const at::Tensor gram = gram_of(vectors.vectors);
  const Position position(static_cast<std::int64_t>(vectors.size()));
  const auto blocks = static_cast<std::int64_t>(scaled.blocks().size());

  Parameters searched;
  searched.add("rho", position.rho);
  searched.add("scale", position.log_scale);
  Optimiser optimiser({.name = "sgd",
                       .learning_rate = 1,
                       .weight_decay = 0,
                       .momentum = options.momentum,
                       .groups = {{.match = {"rho"}, .rate_factor = options.weight_rate},
                                  {.match = {"scale"}, .rate_factor = options.scale_rate}}},
                      searched);

  SelfPositioning found;
  for (std::int64_t step = 0; step <= options.steps; ++step) {
    const at::Tensor c = slerp_coefficients(gram, position.weights(), vectors.names);
    const at::Tensor coefficients = position.scale() * c;
    scaled.place(coefficients.detach().unsqueeze(1).expand({-1, blocks}));
    if (step == options.steps) {
      found.coefficients = numbers(coefficients);
      break;
    }
    at::Tensor slopes;
    found.losses.push_back(scaled.run(loss, step, slopes));
    // The loss is, to first order, the slopes times the coefficients, and that is what autograd
    // takes through lambda and c(a).
    optimiser.zero_gradients();
    (torch::dot(coefficients, slopes.sum(1)) + options.penalty * position.scale().sum()).backward();
    optimiser.step(1);
  }
  found.weights = numbers(position.weights());
  found.scale = position.scale().item<double>();
  return found;
}

}  // namespace kith::learn
