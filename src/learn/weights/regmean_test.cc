#include "learn/weights/regmean.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "learn/weights/test_models.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

// X^T X of so many random rows; `unused` inputs at the end are always 0.
Parameters gram(std::uint64_t seed, std::int64_t inputs, std::int64_t unused = 0) {
  torch::manual_seed(static_cast<std::int64_t>(seed));
  const at::Tensor rows = torch::randn({40, inputs});
  if (unused > 0) rows.slice(1, inputs - unused).zero_();
  Parameters grams;
  grams.add("weight", rows.t().mm(rows));
  return grams;
}

// What is lost of each layer's outputs, in plain loops: sum over i of tr((W - W_i) G_i (W -
// W_i)^T).
double lost(const at::Tensor& weight, const TaskVectors& vectors,
            const std::vector<Parameters>& grams, double off_diagonal) {
  double sum = 0;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const at::Tensor d = (weight - vectors.vectors[i]["weight"]).to(torch::kDouble).contiguous();
    const at::Tensor g = grams[i]["weight"].to(torch::kDouble).contiguous();
    const auto at = d.accessor<double, 2>(), gram = g.accessor<double, 2>();
    for (std::int64_t r = 0; r < d.size(0); ++r) {
      for (std::int64_t a = 0; a < d.size(1); ++a) {
        for (std::int64_t b = 0; b < d.size(1); ++b) {
          sum += at[r][a] * gram[a][b] * (a == b ? 1 : off_diagonal) * at[r][b];
        }
      }
    }
  }
  return sum;
}

TEST(RegMean, LosesLessOfTheLayersOutputsThanAnyStepFromIt) {
  const TaskVectors vectors = random_vectors(3);
  const std::vector<Parameters> grams = {gram(1, 5), gram(2, 5), gram(3, 5)};
  const at::Tensor merged = merge_regmean(vectors, grams)["weight"];
  const double least = lost(merged, vectors, grams, 0.9);
  for (std::int64_t k = 0; k < merged.numel(); ++k) {
    for (const float step : {-0.01F, 0.01F}) {
      const at::Tensor moved = merged.clone();
      moved.view({-1})[k] += step;
      EXPECT_GT(lost(moved, vectors, grams, 0.9), least);
    }
  }
}

TEST(RegMean, OfEqualInputsIsTheAverageAsAllOtherTensorsAre) {
  const TaskVectors vectors = random_vectors(2);
  const std::vector<double> halves = {0.5, 0.5};
  const std::vector<double> average = flat(combine(vectors.vectors, halves));
  expect_near(flat(merge_regmean(vectors, {gram(1, 5), gram(1, 5)})), average, 1e-5);
  EXPECT_EQ(flat(merge_regmean(vectors, {Parameters(), Parameters()})), average);
  const Parameters merged = merge_regmean(vectors, {gram(1, 5), gram(2, 5)});
  EXPECT_TRUE(torch::equal(merged["table"], combine(vectors.vectors, halves)["table"]));
}

TEST(RegMean, OfAModelThatAloneHasInputsIsThatModelsLayer) {
  const TaskVectors vectors = random_vectors(2);
  Parameters none;
  none.add("weight", torch::zeros({5, 5}));
  const at::Tensor merged = merge_regmean(vectors, {gram(1, 5), none})["weight"];
  EXPECT_LT((merged - vectors.vectors[0]["weight"]).abs().max().item<double>(), 1e-5);
}

TEST(RegMean, AveragesWhereInputsAreAlwaysZero) {
  const TaskVectors vectors = random_vectors(2);
  const at::Tensor merged = merge_regmean(vectors, {gram(1, 5, 2), gram(2, 5, 2)})["weight"];
  const at::Tensor mean = (vectors.vectors[0]["weight"] + vectors.vectors[1]["weight"]) / 2;
  EXPECT_LT((merged - mean).slice(1, 3).abs().max().item<double>(), 1e-5);
  EXPECT_GT((merged - mean).slice(1, 0, 3).abs().max().item<double>(), 1e-2);
}

TEST(RegMean, OfTransposedLayersIsTheTransposed) {
  const TaskVectors vectors = random_vectors(2);
  TaskVectors transposed = vectors;
  const auto turn = [](const Parameters& from) {
    Parameters to;
    for (const Parameter& each : from) {
      to.add(each.name, each.name == "weight" ? each.value.t().contiguous() : each.value);
    }
    return to;
  };
  transposed.base = turn(vectors.base);
  for (Parameters& vector : transposed.vectors) vector = turn(vector);
  const std::vector<Parameters> grams = {gram(1, 5), gram(2, 5)};
  const at::Tensor wanted = merge_regmean(vectors, grams)["weight"];
  const at::Tensor got = merge_regmean(transposed, grams, {.transposed = true})["weight"];
  EXPECT_LT((got.t() - wanted).abs().max().item<double>(), 1e-6);
}

TEST(RegMean, RefusesMatricesThatDoNotFitNamingTheModel) {
  const TaskVectors vectors = random_vectors(2);
  EXPECT_THAT(refusal([&] { merge_regmean(vectors, {gram(1, 5)}); }),
              HasSubstr("of 1 models, expected 2"));
  EXPECT_THAT(refusal([&] {
                merge_regmean(vectors, {gram(1, 5), Parameters()});
              }),
              HasSubstr("m2: no Gram matrix of 'weight', but m1 has one"));
  EXPECT_THAT(refusal([&] {
                merge_regmean(vectors, {gram(1, 5), gram(1, 3)});
              }),
              HasSubstr("m2: the Gram matrix of 'weight' isn't of 5 inputs"));
  Parameters of_bias;
  of_bias.add("bias", torch::ones({3, 3}));
  EXPECT_THAT(refusal([&] {
                merge_regmean(vectors, {of_bias, of_bias});
              }),
              HasSubstr("m1: a Gram matrix of 'bias', which is no dense layer's weight"));
  const Parameters broken = gram(1, 5);
  broken["weight"][0][0] = NAN;
  EXPECT_THAT(refusal([&] {
                merge_regmean(vectors, {gram(1, 5), broken});
              }),
              HasSubstr("m2: the Gram matrix of 'weight' has a value that is not finite"));
  EXPECT_THAT(refusal([&] {
                merge_regmean(vectors, {gram(1, 5), gram(2, 5)}, {.off_diagonal = 2});
              }),
              HasSubstr("off_diagonal 2.000000"));
}

}  // namespace
}  // namespace kith::learn
