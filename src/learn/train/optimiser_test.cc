#include "learn/train/optimiser.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kith/error.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

Parameters tensors() {
  Parameters all;
  all.add("table", torch::linspace(-1, 1, 6).view({2, 3}).clone().set_requires_grad(true));
  all.add("bias", torch::linspace(1, 2, 3).clone().set_requires_grad(true));
  return all;
}

void give_gradients(const Parameters& all, double step) {
  for (const Parameter& each : all) {
    at::Tensor value = each.value;
    value.mutable_grad() = (value.detach() * 2 + step).clone();
  }
}

TEST(Optimiser, TakesAdamWsSteps) {
  const Parameters all = tensors();
  Optimiser optimiser({.learning_rate = 0.1, .weight_decay = 0.5}, all);
  // The same in plain loops, of one value that decays and one that doesn't.
  double x[2] = {-1, 1}, m[2] = {0, 0}, v[2] = {0, 0};
  for (int step = 1; step <= 5; ++step) {
    give_gradients(all, step);
    optimiser.step(0.5);
    for (int i = 0; i < 2; ++i) {
      const double g = 2 * x[i] + step, rate = 0.05;
      x[i] *= 1 - rate * (i == 0 ? 0.5 : 0);
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      const double mean = m[i] / (1 - std::pow(0.9, step));
      const double square = v[i] / (1 - std::pow(0.999, step));
      x[i] -= rate * mean / (std::sqrt(square) + 1e-8);
    }
    EXPECT_NEAR(all["table"][0][0].item<double>(), x[0], 1e-6);
    EXPECT_NEAR(all["bias"][0].item<double>(), x[1], 1e-6);
  }
}

TEST(Optimiser, GoesOnFromItsStateAsItWouldHave) {
  for (const char* name : {"adamw", "sgd"}) {
    const OptimiserOptions options{.name = name, .learning_rate = 0.01};
    const Parameters whole = tensors(), halves = tensors();
    Optimiser one(options, whole);
    auto two = std::make_unique<Optimiser>(options, halves);
    for (int step = 0; step < 6; ++step) {
      if (step == 3) {
        const Parameters kept = two->state().copy();
        two = std::make_unique<Optimiser>(options, halves);
        two->restore(kept);
      }
      give_gradients(whole, step);
      give_gradients(halves, step);
      one.step(1);
      two->step(1);
    }
    EXPECT_TRUE(torch::equal(whole["table"], halves["table"])) << name;
    EXPECT_TRUE(torch::equal(whole["bias"], halves["bias"])) << name;
  }
}

TEST(Optimiser, GivesGroupsRatesOfTheirOwn) {
  const Parameters all = tensors();
  OptimiserOptions options{.name = "sgd", .learning_rate = 0.1, .weight_decay = 0, .momentum = 0};
  options.groups = {{.match = {"bias"}, .rate_factor = 0}};
  Optimiser optimiser(options, all);
  const at::Tensor table = all["table"].detach().clone(), bias = all["bias"].detach().clone();
  give_gradients(all, 1);
  optimiser.step(1);
  EXPECT_FALSE(torch::equal(all["table"], table));
  EXPECT_TRUE(torch::equal(all["bias"], bias));
  options.groups = {{.match = {"nothing"}}};
  EXPECT_THROW(Optimiser(options, all), Error);
}

TEST(Optimiser, ClipsTheLengthOfAllGradientsTogether) {
  const Parameters all = tensors();
  Optimiser optimiser({}, all);
  give_gradients(all, 1);
  double square = 0;
  for (const Parameter& each : all) square += each.value.grad().square().sum().item<double>();
  EXPECT_NEAR(optimiser.clip(1), std::sqrt(square), 1e-5);
  double clipped = 0;
  for (const Parameter& each : all) clipped += each.value.grad().square().sum().item<double>();
  EXPECT_NEAR(clipped, 1, 1e-4);
}

TEST(Optimiser, RefusesAStateOfAnotherShape) {
  const Parameters all = tensors();
  Optimiser optimiser({}, all);
  give_gradients(all, 1);
  optimiser.step(1);
  Parameters broken;
  for (const Parameter& each : optimiser.state()) {
    broken.add(each.name, each.name == "table.mean" ? torch::zeros({3}) : each.value);
  }
  EXPECT_THROW(optimiser.restore(broken), Error);
}

}  // namespace
}  // namespace kith::learn
