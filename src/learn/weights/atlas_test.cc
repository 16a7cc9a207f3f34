#include "learn/weights/atlas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "learn/weights/test_models.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

constexpr double kInSpan[2][3] = {{0.7, -0.2, 1.1}, {-0.5, 0.9, 0.3}};

// theta_0 + sum_i kInSpan[i][j] tau_i^(j).
Parameters in_span(const TaskVectors& vectors) {
  Parameters target;
  int j = 0;
  for (const Parameter& each : vectors.base) {
    target.add(each.name, each.value + kInSpan[0][j] * vectors.vectors[0][each.name] +
                              kInSpan[1][j] * vectors.vectors[1][each.name]);
    ++j;
  }
  return target;
}

AtlasOptions free_options() {
  AtlasOptions options;
  options.steps = 400;
  options.learning_rate = 0.1;
  options.schedule = "cosine";
  options.weight_decay = 0;
  options.clip = 0;
  return options;
}

TEST(Atlas, ReproducesATargetInItsSpan) {
  const TaskVectors vectors = random_vectors(2);
  const Parameters target = in_span(vectors), model = random_model(9);
  const Atlas atlas = learn_atlas(vectors, model, distance(model, target), free_options());
  EXPECT_EQ(atlas.blocks, (std::vector<std::string>{"bias", "table", "weight"}));
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      EXPECT_NEAR(atlas.coefficients[i][j].item<double>(), kInSpan[i][j], 1e-3);
    }
  }
  expect_near(flat(model), flat(target), 5e-3);
  EXPECT_EQ(atlas.losses.size(), 400);
  EXPECT_LT(atlas.losses.back(), 1e-4);
}

TEST(Atlas, TakesAdamWsFirstStepFromZero) {
  const TaskVectors vectors = random_vectors(2);
  const Parameters target = in_span(vectors), model = random_model(9);
  const Atlas atlas = learn_atlas(vectors, model, distance(model, target), {.steps = 1});
  // The slope at the base is <theta_0 - target, tau>, and Adam's first step goes against its sign.
  for (int i = 0; i < 2; ++i) {
    int j = 0;
    for (const Parameter& each : vectors.base) {
      const double slope = ((each.value - target[each.name]) *
                            vectors.vectors[static_cast<std::size_t>(i)][each.name])
                               .sum()
                               .item<double>();
      EXPECT_NEAR(atlas.coefficients[i][j++].item<double>(), slope > 0 ? -1e-3 : 1e-3, 1e-8);
    }
  }
}

TEST(Atlas, WithoutStepsIsTheBase) {
  const TaskVectors vectors = random_vectors(2);
  const Parameters model = random_model(9);
  learn_atlas(vectors, model, [](std::int64_t) { return 0.0; }, {.steps = 0});
  EXPECT_EQ(flat(model), flat(vectors.base));
}

TEST(Atlas, WithWeightDecayStaysCloserToTheBase) {
  const TaskVectors vectors = random_vectors(2);
  const Parameters target = in_span(vectors), model = random_model(9);
  AtlasOptions options = free_options();
  const double free = learn_atlas(vectors, model, distance(model, target), options)
                          .coefficients.norm()
                          .item<double>();
  options.weight_decay = 3;
  EXPECT_LT(learn_atlas(vectors, model, distance(model, target), options)
                .coefficients.norm()
                .item<double>(),
            free - 0.05);
}

TEST(Atlas, IsotropicHasOneCoefficientAVector) {
  const TaskVectors vectors = random_vectors(2);
  const Parameters target =
      add_to_base(vectors, combine(vectors.vectors, std::vector<double>{0.4, 0.8}));
  const Parameters model = random_model(9);
  AtlasOptions options = free_options();
  options.isotropic = true;
  const Atlas atlas = learn_atlas(vectors, model, distance(model, target), options);
  for (int j = 0; j < 3; ++j) {
    EXPECT_NEAR(atlas.coefficients[0][j].item<double>(), 0.4, 1e-3);
    EXPECT_NEAR(atlas.coefficients[1][j].item<double>(), 0.8, 1e-3);
  }
}

TEST(Atlas, WithPartitionsReachesWhatOneCoefficientATensorCannot) {
  const TaskVectors vectors = random_vectors(2);
  const Parameters target = random_model(33);
  const auto loss_with = [&](std::int64_t partitions) {
    const Parameters model = random_model(9);
    AtlasOptions options = free_options();
    options.partitions = partitions;
    const Parameters wanted = [&] {  // the bias can't be reached with partitions
      Parameters all;
      for (const Parameter& each : target) {
        all.add(each.name, each.name == "bias" ? vectors.base["bias"] : each.value);
      }
      return all;
    }();
    return learn_atlas(vectors, model, distance(model, wanted), options).losses.back();
  };
  EXPECT_LT(loss_with(3), loss_with(1));
}

TEST(Atlas, WithABudgetUsesTheVectorsWithTheLargestSlopesInEachBlock) {
  const TaskVectors vectors = random_vectors(3);
  // Each block's target is one of the vectors.
  Parameters target;
  const std::size_t chosen[3] = {2, 0, 1};
  int j = 0;
  for (const Parameter& each : vectors.base) {
    target.add(each.name, each.value + vectors.vectors[chosen[j++]][each.name]);
  }
  const Parameters model = random_model(9);
  AtlasOptions options = free_options();
  options.budget = 1;
  std::vector<std::int64_t> steps;
  const GradientStep loss = distance(model, target);
  const Atlas atlas = learn_atlas(
      vectors, model,
      [&](std::int64_t step) {
        steps.push_back(step);
        return loss(step);
      },
      options);
  for (std::int64_t block = 0; block < 3; ++block) {
    // By hand: the largest <theta_0 - target, tau_i>, whatever its sign.
    double largest = 0;
    std::int64_t best = 0;
    const std::string& name = atlas.blocks[static_cast<std::size_t>(block)];
    for (std::int64_t i = 0; i < 3; ++i) {
      const double slope = std::abs(
          ((vectors.base[name] - target[name]) * vectors.vectors[static_cast<std::size_t>(i)][name])
              .sum()
              .item<double>());
      if (slope > largest) largest = slope, best = i;
    }
    for (std::int64_t i = 0; i < 3; ++i) {
      EXPECT_EQ(atlas.used[i][block].item<bool>(), i == best);
      EXPECT_EQ(atlas.coefficients[i][block].item<double>() != 0, i == best);
    }
  }
  EXPECT_EQ(steps.size(), 401);
  EXPECT_EQ(steps[0], 0);
  EXPECT_EQ(steps[1], 0);
}

TEST(Atlas, WithL1LeavesUselessVectorsAtZero) {
  const TaskVectors vectors = random_vectors(3);
  const Parameters target = add_to_base(vectors, vectors.vectors[0]);
  const Parameters model = random_model(9);
  AtlasOptions options = free_options();
  options.l1 = 3;
  const at::Tensor found =
      learn_atlas(vectors, model, distance(model, target), options).coefficients;
  EXPECT_LT(found.slice(0, 1).abs().max().item<double>(), 2e-2);
  EXPECT_GT(found[0].min().item<double>(), 0.2);
}

TEST(Atlas, RefusesOptionsThatDoNotFit) {
  const TaskVectors vectors = random_vectors(2);
  const auto said = [&](const AtlasOptions& options) {
    return refusal([&] {
      learn_atlas(
          vectors, random_model(9), [](std::int64_t) { return 0.0; }, options);
    });
  };
  EXPECT_THAT(said({.steps = -1}), HasSubstr("steps -1"));
  EXPECT_THAT(said({.learning_rate = NAN}), HasSubstr("learning_rate"));
  EXPECT_THAT(said({.weight_decay = -1}), HasSubstr("weight_decay"));
  EXPECT_THAT(said({.schedule = "linear"}), HasSubstr("schedule 'linear'"));
  EXPECT_THAT(said({.clip = -1}), HasSubstr("clip"));
  EXPECT_THAT(said({.isotropic = true, .partitions = 2}), HasSubstr("isotropic with partitions"));
  EXPECT_THAT(said({.isotropic = true, .budget = 1}), HasSubstr("isotropic with partitions"));
  EXPECT_THAT(said({.partitions = 0}), HasSubstr("0 partitions"));
  EXPECT_THAT(said({.budget = 3}), HasSubstr("a budget of 3 vectors, expected 0 to 2"));
  EXPECT_THAT(said({.l1 = -1}), HasSubstr("l1"));
}

}  // namespace
}  // namespace kith::learn
