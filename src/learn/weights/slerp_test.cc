#include "learn/weights/slerp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "learn/loss/gradient_check.h"
#include "learn/weights/test_models.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;
using Row = std::vector<double>;

double plain_dot(const Row& a, const Row& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

// The fold over the vectors themselves, in plain loops.
Row reference(const std::vector<Row>& vectors, const Row& weights) {
  Row merged = vectors[0];
  double sum = weights[0];
  for (std::size_t i = 1; i < vectors.size(); ++i) {
    const double mean = sum / static_cast<double>(i), share = weights[i] / (mean + weights[i]);
    const double alpha =
        std::acos(plain_dot(merged, vectors[i]) /
                  std::sqrt(plain_dot(merged, merged) * plain_dot(vectors[i], vectors[i])));
    for (std::size_t k = 0; k < merged.size(); ++k) {
      merged[k] =
          (std::sin((1 - share) * alpha) * merged[k] + std::sin(share * alpha) * vectors[i][k]) /
          std::sin(alpha);
    }
    sum += weights[i];
  }
  return merged;
}

// Models whose vectors have these values in the bias, and 0 elsewhere.
TaskVectors of_biases(const std::vector<std::vector<float>>& biases) {
  const Parameters base = random_model(1);
  for (const Parameter& each : base) at::Tensor(each.value).zero_();
  std::vector<NamedModel> models;
  for (const auto& bias : biases) {
    Parameters model = base.copy();
    model["bias"].copy_(torch::tensor(bias));
    models.push_back({std::string("m").append(std::to_string(models.size() + 1)), model});
  }
  return make_task_vectors({"base", base}, models);
}

TEST(Slerp, OfManyVectorsIsTheFoldOverThemAll) {
  for (std::size_t count = 1; count <= 5; ++count) {
    const TaskVectors vectors = random_vectors(count, 10 * count);
    Row weights;
    std::vector<Row> rows;
    for (std::size_t i = 0; i < count; ++i) {
      weights.push_back(0.3 + 0.9 * static_cast<double>(i));
      rows.push_back(flat(vectors.vectors[i]));
    }
    expect_near(flat(combine(vectors.vectors, slerp_coefficients(vectors, weights))),
                reference(rows, weights), 1e-5);
  }
}

TEST(Slerp, OfOrthogonalVectorsOfOneLengthKeepsTheLength) {
  const TaskVectors vectors = of_biases({{1, 0, 0}, {0, 1, 0}});
  for (const double weight : {0.1, 1.0, 7.0}) {
    const Parameters merged = combine(vectors.vectors, slerp_coefficients(vectors, {weight, 1}));
    EXPECT_NEAR(norm(merged), 1, 1e-6);
  }
}

TEST(Slerp, WithALargerWeightHasMoreOfThatVector) {
  const TaskVectors vectors = of_biases({{1, 0, 0}, {0, 1, 0}});
  const Row c = slerp_coefficients(vectors, {3, 1});
  EXPECT_NEAR(c[0], std::sin(0.75 * std::acos(0.0)), 1e-12);
  EXPECT_NEAR(c[1], std::sin(0.25 * std::acos(0.0)), 1e-12);
}

TEST(Slerp, OfNearlyParallelVectorsIsLinear) {
  const TaskVectors vectors = of_biases({{1, 0, 0}, {2, 1e-5F, 0}});
  expect_near(slerp_coefficients(vectors, {1, 3}), {0.25, 0.75}, 1e-12);
}

TEST(Slerp, OfAnglesAboveTheBorderGoesOverIntoTheLinearWithoutAStep) {
  const TaskVectors vectors = of_biases({{1, 0, 0}, {1, 2e-4F, 0}});
  expect_near(slerp_coefficients(vectors, {1, 3}), {0.25, 0.75}, 1e-6);
}

TEST(Slerp, HasTheGradientsOfItsWeights) {
  const at::Tensor gram = gram_of(random_vectors(4).vectors);
  const std::vector<std::string> names = {"a", "b", "c", "d"};
  const at::Tensor slopes = torch::tensor({0.3, -1.0, 2.0, 0.7}, torch::kDouble);
  expect_gradients(
      [&](const std::vector<Tensor>& inputs) {
        return torch::dot(slopes, slerp_coefficients(gram, inputs[0], names));
      },
      {torch::tensor({0.5, 1.0, 1.5, 3.0}, torch::kDouble)});
  // The linear branch, too.
  const at::Tensor parallel = torch::ones({2, 2}, torch::kDouble);
  expect_gradients(
      [&](const std::vector<Tensor>& inputs) {
        return torch::dot(slopes.slice(0, 0, 2),
                          slerp_coefficients(parallel, inputs[0], {"a", "b"}));
      },
      {torch::tensor({0.5, 1.0}, torch::kDouble)});
}

TEST(Slerp, RefusesOppositeVectorsNamingTheModels) {
  EXPECT_THAT(refusal([] {
                slerp_coefficients(of_biases({{1, 0, 0}, {-2, 0, 0}}));
              }),
              HasSubstr("m1 and m2: task vectors that point opposite ways"));
  EXPECT_THAT(refusal([] {
                slerp_coefficients(of_biases({{1, 0, 0}, {1, 0, 0}, {-2, 1e-4F, 0}}));
              }),
              HasSubstr("the merge m1 + m2 and m3: task vectors that point opposite ways"));
}

TEST(Slerp, RefusesVectorsWithoutDirectionAndWeightsThatAreNotAboveZero) {
  EXPECT_THAT(refusal([] {
                slerp_coefficients(of_biases({{1, 0, 0}, {0, 0, 0}}));
              }),
              HasSubstr("m2: its weights are the base's"));
  const TaskVectors vectors = random_vectors(2);
  EXPECT_THAT(refusal([&] {
                slerp_coefficients(vectors, {1, 0});
              }),
              HasSubstr("m2: weight 0.000000, expected a number above 0"));
  EXPECT_THAT(refusal([&] { slerp_coefficients(vectors, {1, 2, 3}); }), HasSubstr("3 weights"));
}

}  // namespace
}  // namespace kith::learn
