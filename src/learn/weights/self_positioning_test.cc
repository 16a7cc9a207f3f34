#include "learn/weights/self_positioning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "learn/weights/slerp.h"
#include "learn/weights/test_models.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

// The place with these weights and this scale, as a model.
Parameters at_place(const TaskVectors& vectors, const std::vector<double>& weights, double scale) {
  return add_to_base(vectors, combine(vectors.vectors, slerp_coefficients(vectors, weights)),
                     scale);
}

constexpr SelfPositioningOptions kPlain{
    .steps = 400, .weight_rate = 0.02, .scale_rate = 0.002, .momentum = 0.9, .penalty = 0};

TEST(SelfPositioning, FindsTheKnownOptimumOfAQuadraticLoss) {
  const TaskVectors vectors = random_vectors(3);
  const Parameters target = at_place(vectors, {0.5, 1.5, 1}, 1.4);
  const Parameters model = random_model(9);
  const SelfPositioning found = self_position(vectors, model, distance(model, target), kPlain);
  EXPECT_NEAR(found.scale, 1.4, 1e-2);
  EXPECT_EQ(found.losses.size(), 400);
  EXPECT_LT(found.losses.back(), 1e-4 * found.losses.front());
  expect_near(flat(model), flat(target), 1e-2);
}

TEST(SelfPositioning, IsAsGoodAsTheBestOfAGrid) {
  const TaskVectors vectors = random_vectors(2);
  const Parameters target = random_model(33);  // outside the span
  const Parameters model = random_model(9);
  const GradientStep loss = distance(model, target);
  self_position(vectors, model, loss, kPlain);
  const auto loss_at = [&](const Parameters& place) {
    double sum = 0;
    const std::vector<double> a = flat(place), b = flat(target);
    for (std::size_t k = 0; k < a.size(); ++k) sum += (a[k] - b[k]) * (a[k] - b[k]) / 2;
    return sum;
  };
  double best = INFINITY;
  for (const double share : {0.1, 0.3, 0.5, 0.7, 0.9}) {
    for (const double scale : {0.2, 0.5, 1.0, 1.5, 2.0}) {
      best = std::min(best, loss_at(at_place(vectors, {1 - share, share}, scale)));
    }
  }
  EXPECT_LE(loss_at(model), best + 1e-6);
}

TEST(SelfPositioning, TakesTheStepThatMeasuredSlopesGive) {
  const TaskVectors vectors = random_vectors(3);
  const Parameters target = random_model(33), model = random_model(9);
  SelfPositioningOptions options{
      .steps = 1, .weight_rate = 1e-3, .scale_rate = 1e-3, .momentum = 0, .penalty = 0.05};
  const SelfPositioning found = self_position(vectors, model, distance(model, target), options);
  // The loss as a function of rho and log lambda, in doubles.
  const auto loss_at = [&](std::vector<double> rho, double log_scale) {
    for (double& x : rho) x = std::log1p(std::exp(x));
    const std::vector<double> c = slerp_coefficients(vectors, rho);
    const double scale = std::exp(log_scale);
    const std::vector<double> base = flat(vectors.base), wanted = flat(target);
    double sum = options.penalty * scale;
    for (std::size_t k = 0; k < base.size(); ++k) {
      double value = base[k] - wanted[k];
      for (std::size_t i = 0; i < 3; ++i) value += scale * c[i] * flat(vectors.vectors[i])[k];
      sum += value * value / 2;
    }
    return sum;
  };
  const double start = std::log(std::exp(1.0) - 1), h = 1e-5;
  for (std::size_t i = 0; i < 3; ++i) {
    std::vector<double> above(3, start), below(3, start);
    above[i] += h;
    below[i] -= h;
    const double slope = (loss_at(above, 0) - loss_at(below, 0)) / (2 * h);
    const double rho = start - 1e-3 * slope;
    EXPECT_NEAR(found.weights[i], std::log1p(std::exp(rho)), 1e-7) << i;
  }
  const std::vector<double> rho(3, start);
  const double slope = (loss_at(rho, h) - loss_at(rho, -h)) / (2 * h);
  EXPECT_NEAR(std::log(found.scale), -1e-3 * slope, 1e-7);
}

TEST(SelfPositioning, WithoutStepsIsTheSlerpOfAll) {
  const TaskVectors vectors = random_vectors(3);
  const Parameters model = random_model(9);
  const SelfPositioning found =
      self_position(vectors, model, [](std::int64_t) { return 0.0; }, {.steps = 0});
  expect_near(found.weights, {1, 1, 1}, 1e-12);
  EXPECT_EQ(found.scale, 1);
  expect_near(found.coefficients, slerp_coefficients(vectors), 1e-12);
  expect_near(flat(model), flat(at_place(vectors, {}, 1)), 1e-6);
}

TEST(SelfPositioning, WithAPenaltyStaysShorter) {
  const TaskVectors vectors = random_vectors(2);
  const Parameters target = at_place(vectors, {1, 1}, 1.4);
  SelfPositioningOptions options = kPlain;
  const Parameters model = random_model(9);
  const double free = self_position(vectors, model, distance(model, target), options).scale;
  options.penalty = 5;
  EXPECT_LT(self_position(vectors, model, distance(model, target), options).scale, free - 0.02);
}

TEST(SelfPositioning, OfOneModelSearchesItsLengthAlone) {
  const TaskVectors vectors = random_vectors(1);
  const Parameters target = add_to_base(vectors, vectors.vectors[0], 0.6);
  const Parameters model = random_model(9);
  const SelfPositioning found = self_position(vectors, model, distance(model, target), kPlain);
  EXPECT_NEAR(found.coefficients[0], 0.6, 1e-3);
  EXPECT_NEAR(found.weights[0], 1, 1e-12);
}

TEST(SelfPositioning, RefusesOptionsOutOfRange) {
  const TaskVectors vectors = random_vectors(2);
  const auto said = [&](const SelfPositioningOptions& options) {
    return refusal([&] {
      self_position(
          vectors, random_model(9), [](std::int64_t) { return 0.0; }, options);
    });
  };
  EXPECT_THAT(said({.steps = -1}), HasSubstr("steps -1"));
  EXPECT_THAT(said({.weight_rate = -1}), HasSubstr("weight_rate"));
  EXPECT_THAT(said({.scale_rate = NAN}), HasSubstr("scale_rate"));
  EXPECT_THAT(said({.momentum = 1}), HasSubstr("momentum"));
  EXPECT_THAT(said({.penalty = -0.1}), HasSubstr("penalty"));
}

}  // namespace
}  // namespace kith::learn
