#include "learn/weights/average.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "learn/weights/test_models.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

Parameters average(const TaskVectors& vectors, const std::vector<double>& weights = {}) {
  return add_to_base(vectors, combine(vectors.vectors, average_coefficients(vectors, weights)));
}

TEST(Average, OfIdenticalModelsIsTheModel) {
  const Parameters model = random_model(5);
  const TaskVectors with_base =
      make_task_vectors({"base", random_model(1)}, {{"a", model}, {"b", model}, {"c", model}});
  expect_near(flat(average(with_base)), flat(model), 1e-6);
  const TaskVectors plain = make_plain_vectors({{"a", model}, {"b", model}, {"c", model}});
  EXPECT_EQ(flat(average(plain)), flat(model));
}

TEST(Average, IsTheWeightedMeanOfWeights) {
  const TaskVectors vectors = random_vectors(2);
  const std::vector<double> a = flat(random_model(2)), b = flat(random_model(3));
  std::vector<double> wanted;
  for (std::size_t k = 0; k < a.size(); ++k) wanted.push_back((a[k] + 3 * b[k]) / 4);
  expect_near(flat(average(vectors, {1, 3})), wanted, 1e-6);
}

TEST(Average, IsTheSameWithAndWithoutABase) {
  const TaskVectors plain = make_plain_vectors({{"a", random_model(2)}, {"b", random_model(3)}});
  expect_near(flat(average(plain)), flat(average(random_vectors(2))), 1e-6);
}

TEST(Average, RefusesWeightsThatMakeNone) {
  const TaskVectors vectors = random_vectors(2);
  EXPECT_THAT(refusal([&] { average_coefficients(vectors, {1}); }),
              HasSubstr("1 weights, expected one for each of 2 models"));
  EXPECT_THAT(refusal([&] {
                average_coefficients(vectors, {1, -1});
              }),
              HasSubstr("m2: weight -1.000000, expected 0 or more"));
  EXPECT_THAT(refusal([&] { average_coefficients(vectors, {0, 0}); }), HasSubstr("all weights"));
  EXPECT_THAT(refusal([&] { average_coefficients(vectors, {1, NAN}); }), HasSubstr("m2"));
}

TEST(TaskArithmetic, AddsScaledVectorsAndWithScaleZeroGivesTheBase) {
  const TaskVectors vectors = random_vectors(2);
  EXPECT_EQ(arithmetic_coefficients(vectors, {1, -2}, 0.5), (std::vector<double>{0.5, -1}));
  EXPECT_EQ(arithmetic_coefficients(vectors), (std::vector<double>{1, 1}));
  const Parameters sum = combine(vectors.vectors, arithmetic_coefficients(vectors, {}, 0));
  EXPECT_EQ(flat(add_to_base(vectors, sum)), flat(vectors.base));
}

TEST(TaskArithmetic, RefusesWhatIsNotFinite) {
  const TaskVectors vectors = random_vectors(2);
  EXPECT_THAT(refusal([&] { arithmetic_coefficients(vectors, {}, INFINITY); }),
              HasSubstr("scale inf"));
  EXPECT_THAT(refusal([&] { arithmetic_coefficients(vectors, {NAN, 1}); }), HasSubstr("m1"));
}

}  // namespace
}  // namespace kith::learn
