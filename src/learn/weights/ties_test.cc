#include "learn/weights/ties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "learn/weights/test_models.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;
using Row = std::vector<double>;

Row trim(const Row& vector, double top) {
  Row sorted;
  for (const double x : vector) sorted.push_back(std::abs(x));
  std::sort(sorted.rbegin(), sorted.rend());
  const auto kept = static_cast<std::size_t>(
      std::max(1LL, std::llround(top / 100 * static_cast<double>(sorted.size()))));
  Row result;
  for (const double x : vector) result.push_back(std::abs(x) >= sorted[kept - 1] ? x : 0);
  return result;
}

Row reference(const std::vector<Row>& vectors, double top) {
  std::vector<Row> kept;
  for (const Row& vector : vectors) kept.push_back(trim(vector, top));
  Row merged;
  for (std::size_t k = 0; k < vectors[0].size(); ++k) {
    double sum = 0, agreeing = 0;
    int count = 0;
    for (const Row& vector : kept) sum += vector[k];
    for (const Row& vector : kept) {
      if (vector[k] * sum > 0) agreeing += vector[k], ++count;
    }
    merged.push_back(count == 0 ? 0 : agreeing / count);
  }
  return merged;
}

double length(const Row& vector) {
  double square = 0;
  for (const double x : vector) square += x * x;
  return std::sqrt(square);
}

std::vector<Row> rows_of(const TaskVectors& vectors) {
  std::vector<Row> rows;
  for (const Parameters& vector : vectors.vectors) rows.push_back(flat(vector));
  return rows;
}

TEST(Ties, TrimsElectsAndAveragesAsPlainLoopsDo) {
  for (const double top : {1.0, 20.0, 50.0, 100.0}) {
    const TaskVectors vectors = random_vectors(4);
    expect_near(flat(merge_ties(vectors, {.top = top})), reference(rows_of(vectors), top), 1e-6);
  }
}

TEST(Ties, OfOneWholeVectorIsThatVector) {
  const TaskVectors vectors = random_vectors(1);
  EXPECT_EQ(flat(merge_ties(vectors, {.top = 100})), flat(vectors.vectors[0]));
}

TEST(Ties, KeepsTheLargestValuesOfAllTensorsTogether) {
  const TaskVectors vectors = random_vectors(1);
  const Row merged = flat(merge_ties(vectors, {.top = 20}));
  EXPECT_EQ(std::count_if(merged.begin(), merged.end(), [](double x) { return x != 0; }), 6);
}

TEST(Ties, WithScaleZeroIsTheBaseAndOtherwiseScales) {
  const TaskVectors vectors = random_vectors(3);
  const Parameters none = merge_ties(vectors, {.scale = 0});
  EXPECT_EQ(flat(add_to_base(vectors, none)), flat(vectors.base));
  Row wanted = flat(merge_ties(vectors));
  for (double& x : wanted) x *= 2.5;
  expect_near(flat(merge_ties(vectors, {.scale = 2.5})), wanted, 1e-6);
}

TEST(Ties, RescaledHasTheMeanLengthOfTheTrimmedVectors) {
  const TaskVectors vectors = random_vectors(3);
  double mean = 0;
  for (const Row& row : rows_of(vectors)) mean += length(trim(row, 30)) / 3;
  EXPECT_NEAR(norm(merge_ties(vectors, {.top = 30, .scale = 2, .rescale = true})), 2 * mean, 1e-5);
}

TEST(Ties, OfVectorsThatCancelAreZero) {
  const TaskVectors one = random_vectors(1);
  TaskVectors both = one;
  both.names.emplace_back("opposite");
  both.vectors.push_back(combine(one.vectors, Row{-1}));
  EXPECT_EQ(norm(merge_ties(both, {.top = 100, .rescale = true})), 0);
}

TEST(Ties, RefusesSharesAndScalesThatAreNone) {
  const TaskVectors vectors = random_vectors(2);
  EXPECT_THAT(refusal([&] { merge_ties(vectors, {.top = 0}); }), HasSubstr("top 0.000000"));
  EXPECT_THAT(refusal([&] { merge_ties(vectors, {.top = 101}); }), HasSubstr("at most 100"));
  EXPECT_THAT(refusal([&] { merge_ties(vectors, {.scale = NAN}); }), HasSubstr("scale"));
}

}  // namespace
}  // namespace kith::learn
