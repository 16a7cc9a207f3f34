#include "learn/weights/atlas.h"

#include <cmath>

#include "learn/refuse.h"
#include "learn/torch.h"
#include "learn/train/optimiser.h"
#include "learn/train/schedule.h"

namespace kith::learn {
namespace {

void check(const AtlasOptions& options, std::size_t vectors) {
  const auto at_least_0 = [](const char* name, double value) {
    if (value >= 0 && std::isfinite(value)) return;
    refuse(std::string(name) + " " + std::to_string(value) + ", expected 0 or more");
  };
  at_least_0("steps", static_cast<double>(options.steps));
  at_least_0("learning_rate", options.learning_rate);
  at_least_0("weight_decay", options.weight_decay);
  at_least_0("clip", options.clip);
  at_least_0("l1", options.l1);
  if (options.schedule != "constant" && options.schedule != "cosine") {
    refuse("schedule '" + options.schedule + "', expected constant or cosine");
  }
  if (options.budget < 0 || options.budget > static_cast<std::int64_t>(vectors)) {
    refuse("a budget of " + std::to_string(options.budget) + " vectors, expected 0 to " +
           std::to_string(vectors));
  }
  if (options.isotropic && (options.partitions > 1 || options.budget > 0)) {
    refuse(
        "isotropic with partitions or a budget, which are for coefficients that differ by block");
  }
}

// For each block the vectors whose coefficients change the loss most at the base.
at::Tensor select(const ScaledModel& scaled, std::int64_t vectors, const GradientStep& loss,
                  std::int64_t budget) {
  const auto blocks = static_cast<std::int64_t>(scaled.blocks().size());
  if (budget == 0) return torch::ones({vectors, blocks}, torch::kBool);
  at::Tensor slopes;
  scaled.place(torch::zeros({vectors, blocks}, torch::kDouble));
  scaled.run(loss, 0, slopes);
  const at::Tensor best = std::get<1>(slopes.abs().topk(budget, 0));
  return torch::zeros({vectors, blocks}, torch::kBool).scatter_(0, best, true);
}

}  // namespace

Atlas learn_atlas(const TaskVectors& vectors, const Parameters& model, const GradientStep& loss,
                  const AtlasOptions& options) {
  check(options, vectors.size());
  const ScaledModel scaled(vectors, model, options.partitions, options.seed);
  const auto count = static_cast<std::int64_t>(vectors.size());
  const auto blocks = static_cast<std::int64_t>(scaled.blocks().size());
  Atlas atlas;
  atlas.blocks = scaled.blocks();
  atlas.used = select(scaled, count, loss, options.budget);

  const at::Tensor lambda = torch::zeros({count, options.isotropic ? 1 : blocks}, torch::kDouble);
  lambda.set_requires_grad(true);
  Parameters searched;
  searched.add("lambda", lambda);
  Optimiser optimiser({.name = "adamw",
                       .learning_rate = options.learning_rate,
                       .weight_decay = options.weight_decay},
                      searched);
  for (std::int64_t step = 0; step <= options.steps; ++step) {
    const at::Tensor coefficients = lambda.expand({count, blocks});
    scaled.place(coefficients);
    if (step == options.steps) break;
    at::Tensor slopes;
    atlas.losses.push_back(scaled.run(loss, step, slopes));
    optimiser.zero_gradients();
    // To first order the loss is the slopes times the coefficients. Where a coefficient is left
    // out its gradient is 0, and so it stays.
    const at::Tensor near = (coefficients * slopes.mul(atlas.used)).sum();
    (near + options.l1 * coefficients.abs().sum(0).mean()).backward();
    optimiser.clip(options.clip);
    optimiser.step(schedule_factor({.shape = options.schedule, .warmup = 0}, step, options.steps));
  }
  atlas.coefficients = lambda.detach().expand({count, blocks}).contiguous();
  return atlas;
}

}  // namespace kith::learn
