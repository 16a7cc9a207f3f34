#include "learn/weights/scaled_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "learn/weights/test_models.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

// A loss that curves: the sum of sines of all values, each with a frequency of its own.
double loss_of(const Parameters& model, bool gradients) {
  at::Tensor loss = torch::zeros({1});
  double at = 1;
  for (const Parameter& each : model) {
    const at::Tensor frequency = torch::linspace(0.5 * at, at, each.value.numel());
    loss = loss + torch::sin(each.value.reshape({-1}) * frequency).sum();
    at += 0.7;
  }
  if (gradients) loss.sum().backward();
  return loss.item<double>();
}

at::Tensor scales_of(std::size_t vectors, std::size_t blocks) {
  const auto n = static_cast<std::int64_t>(vectors), m = static_cast<std::int64_t>(blocks);
  return torch::linspace(-0.4, 0.9, n * m, torch::kDouble).view({n, m});
}

TEST(ScaledModel, HoldsTheBasePlusScaledBlocks) {
  const TaskVectors vectors = random_vectors(2);
  const Parameters model = random_model(7);
  const ScaledModel scaled(vectors, model);
  EXPECT_EQ(scaled.blocks(), (std::vector<std::string>{"bias", "table", "weight"}));
  const at::Tensor scales = scales_of(2, 3);
  scaled.place(scales);
  for (std::int64_t j = 0; j < 3; ++j) {
    const std::string& name = scaled.blocks()[static_cast<std::size_t>(j)];
    const at::Tensor wanted = vectors.base[name] +
                              scales[0][j].item<double>() * vectors.vectors[0][name] +
                              scales[1][j].item<double>() * vectors.vectors[1][name];
    EXPECT_LT((model[name] - wanted).abs().max().item<double>(), 1e-6);
  }
}

TEST(ScaledModel, FindsTheSlopesThatAreMeasured) {
  for (const std::int64_t partitions : {1, 3}) {
    const TaskVectors vectors = random_vectors(2);
    const Parameters model = random_model(7);
    const ScaledModel scaled(vectors, model, partitions);
    const at::Tensor scales = scales_of(2, scaled.blocks().size());
    scaled.place(scales);
    at::Tensor slopes;
    scaled.run([&](std::int64_t) { return loss_of(model, true); }, 0, slopes);
    constexpr double kStep = 1e-2;  // float32 weights bear no less
    for (std::int64_t k = 0; k < scales.numel(); ++k) {
      const auto measured = [&](double step) {
        const at::Tensor moved = scales.clone();
        moved.view({-1})[k] += step;
        scaled.place(moved);
        const torch::NoGradGuard constant;
        return loss_of(model, false);
      };
      const double slope = (measured(kStep) - measured(-kStep)) / (2 * kStep);
      EXPECT_NEAR(slopes.view({-1})[k].item<double>(), slope, 5e-3 * std::max(1.0, std::abs(slope)))
          << partitions << " " << k;
    }
  }
}

TEST(ScaledModel, HasPartitionsOfEqualSizeThatTensorsOfAShapeShare) {
  TaskVectors vectors = random_vectors(1);
  for (Parameters* each : {&vectors.base, &vectors.vectors[0]}) {
    for (const Parameter& tensor : *each) at::Tensor(tensor.value).fill_(1);
    each->add("weight2", torch::ones({3, 5}));
  }
  Parameters model = vectors.base.copy();
  const ScaledModel scaled(vectors, model, 3);
  EXPECT_EQ(scaled.blocks(),
            (std::vector<std::string>{"table#0", "table#1", "table#2", "weight#0", "weight#1",
                                      "weight#2", "weight2#0", "weight2#1", "weight2#2"}));
  scaled.place(torch::tensor({{1, 2, 3, 10, 20, 30, 10, 20, 30}}, torch::kDouble));
  std::map<double, int> counts;
  for (std::int64_t k = 0; k < 15; ++k) {
    ++counts[model["weight"].detach().view({-1})[k].item<double>()];
  }
  EXPECT_EQ(counts, (std::map<double, int>{{11, 5}, {21, 5}, {31, 5}}));
  EXPECT_TRUE(torch::equal(model["weight"], model["weight2"]));
  EXPECT_TRUE(torch::equal(model["bias"], vectors.base["bias"]));
}

TEST(ScaledModel, TakesATensorWithoutGradientAsFlat) {
  const TaskVectors vectors = random_vectors(1);
  const Parameters model = random_model(7);
  const ScaledModel scaled(vectors, model);
  at::Tensor slopes;
  scaled.run(
      [&](std::int64_t) {
        model["bias"].sum().backward();
        return 0.0;
      },
      0, slopes);
  EXPECT_NEAR(slopes[0][0].item<double>(), vectors.vectors[0]["bias"].sum().item<double>(), 1e-6);
  EXPECT_EQ(slopes[0][1].item<double>(), 0);
}

TEST(ScaledModel, RequiresGradientsForAsLongAsItLives) {
  const Parameters model = random_model(7);
  model["bias"].set_requires_grad(true);
  {
    const ScaledModel scaled(random_vectors(1), model);
    EXPECT_TRUE(model["table"].requires_grad());
  }
  EXPECT_FALSE(model["table"].requires_grad());
  EXPECT_TRUE(model["bias"].requires_grad());
}

TEST(ScaledModel, RefusesOtherTensorsAndLossesThatAreNotFinite) {
  const TaskVectors vectors = random_vectors(1);
  Parameters more = random_model(7);
  more.add("more", torch::zeros({2}));
  EXPECT_THAT(refusal([&] { ScaledModel(vectors, more); }), HasSubstr("'more' is missing"));
  EXPECT_THAT(refusal([&] { ScaledModel(vectors, random_model(7), 0); }),
              HasSubstr("0 partitions"));
  const Parameters model = random_model(7);
  const ScaledModel scaled(vectors, model);
  at::Tensor slopes;
  EXPECT_THAT(refusal([&] { scaled.run([](std::int64_t) { return NAN; }, 4, slopes); }),
              HasSubstr("the loss of step 4 is nan"));
  EXPECT_THAT(refusal([&] {
                scaled.run(
                    [&](std::int64_t) {
                      (model["bias"] * INFINITY).sum().backward();
                      return 0.0;
                    },
                    5, slopes);
              }),
              HasSubstr("the gradient of step 5"));
}

}  // namespace
}  // namespace kith::learn
