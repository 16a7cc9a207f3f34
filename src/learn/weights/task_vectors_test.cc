#include "learn/weights/task_vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "learn/weights/test_models.h"

namespace kith::learn {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(TaskVectors, AreWhatTrainingAddedInTheOrderOfNames) {
  const Parameters base = random_model(1), model = random_model(2);
  const TaskVectors vectors = make_task_vectors({"base", base}, {{"m", model}});
  std::vector<std::string> names;
  for (const Parameter& each : vectors.vectors[0]) names.push_back(each.name);
  EXPECT_EQ(names, (std::vector<std::string>{"bias", "table", "weight"}));
  const std::vector<double> before = flat(base), after = flat(model);
  const std::vector<double> added = flat(vectors.vectors[0]);
  for (std::size_t k = 0; k < added.size(); ++k) {
    EXPECT_EQ(added[k], static_cast<float>(after[k]) - static_cast<float>(before[k]));
  }
}

TEST(TaskVectors, LeaveTheModelsAsTheyWere) {
  const Parameters base = random_model(1), model = random_model(2);
  const std::vector<double> before = flat(model);
  make_task_vectors({"base", base}, {{"m", model}});
  EXPECT_EQ(flat(model), before);
}

TEST(TaskVectors, HoldTiedWeightsOnce) {
  const auto tied = [](std::uint64_t seed) {
    Parameters model = random_model(seed);
    model.add("output", model["table"]);
    return model;
  };
  const TaskVectors vectors = make_task_vectors({"base", tied(1)}, {{"m", tied(2)}});
  EXPECT_EQ(vectors.base.size(), 3);
  EXPECT_TRUE(vectors.base.has("output"));
  EXPECT_FALSE(vectors.base.has("table"));
}

TEST(TaskVectors, HaveProductsThatPlainSumsGive) {
  const TaskVectors vectors = random_vectors(3);
  const at::Tensor gram = gram_of(vectors.vectors);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      const std::vector<double> a = flat(vectors.vectors[i]), b = flat(vectors.vectors[j]);
      double sum = 0;
      for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
      EXPECT_NEAR(gram[static_cast<long>(i)][static_cast<long>(j)].item<double>(), sum, 1e-12);
    }
    EXPECT_NEAR(norm(vectors.vectors[i]),
                std::sqrt(gram[static_cast<long>(i)][static_cast<long>(i)].item<double>()), 1e-12);
  }
}

TEST(TaskVectors, OfMillionsOfValuesAreMultipliedInDouble) {
  // In float32 the sum of so many equal products is off by far more.
  const at::Tensor x = torch::full({1'000'000}, 0.1F);
  const double product = static_cast<double>(0.1F) * static_cast<double>(0.1F);
  EXPECT_NEAR(precise_dot(x, x) / (1e6 * product), 1, 1e-12);
}

TEST(TaskVectors, CombineAsPlainSumsDo) {
  const TaskVectors vectors = random_vectors(2);
  const std::vector<double> coefficients = {0.3, -1.7};
  const std::vector<double> a = flat(vectors.vectors[0]), b = flat(vectors.vectors[1]);
  std::vector<double> wanted;
  for (std::size_t k = 0; k < a.size(); ++k) wanted.push_back(0.3 * a[k] - 1.7 * b[k]);
  expect_near(flat(combine(vectors.vectors, coefficients)), wanted, 1e-6);
}

TEST(TaskVectors, AddedWithScaleZeroAreTheBaseToTheBitAndWithOneTheModel) {
  const TaskVectors vectors = random_vectors(1);
  EXPECT_EQ(flat(add_to_base(vectors, vectors.vectors[0], 0)), flat(random_model(1)));
  expect_near(flat(add_to_base(vectors, vectors.vectors[0])), flat(random_model(2)), 1e-6);
}

TEST(TaskVectors, OfOtherTensorsAreRefusedWithAllThatDiffers) {
  Parameters other;
  other.add("table", torch::zeros({4, 2}));
  other.add("weight", torch::zeros({3, 5}));
  other.add("extra", torch::zeros({1}));
  const std::string said = refusal([&] {
    make_task_vectors({"base", random_model(1)}, {{"m", other}});
  });
  EXPECT_THAT(said,
              AllOf(HasSubstr("base and m differ in tensors: "), HasSubstr("bias (only in base)"),
                    HasSubstr("table (4 x 3, 4 x 2)"), HasSubstr("extra (only in m)")));
  EXPECT_THAT(said, testing::Not(HasSubstr("weight")));
}

TEST(TaskVectors, OfNoModelOrWithoutFiniteValuesAreRefused) {
  EXPECT_THAT(refusal([] {
                make_task_vectors({"base", random_model(1)}, {});
              }),
              HasSubstr("no models"));
  EXPECT_THAT(refusal([] { make_plain_vectors({}); }), HasSubstr("no models"));
  const Parameters broken = random_model(2);
  broken["bias"][1] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(refusal([&] {
                make_task_vectors({"base", random_model(1)}, {{"m", broken}});
              }),
              HasSubstr("m: tensor 'bias' has a value that is not finite"));
}

}  // namespace
}  // namespace kith::learn
