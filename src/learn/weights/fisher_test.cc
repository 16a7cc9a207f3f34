#include "learn/weights/fisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "learn/weights/test_models.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

Parameters squares(std::uint64_t seed) {
  const Parameters fisher = random_model(seed);
  for (const Parameter& each : fisher) at::Tensor(each.value).square_();
  return fisher;
}

Parameters constant(double value) {
  const Parameters fisher = random_model(1);
  for (const Parameter& each : fisher) at::Tensor(each.value).fill_(value);
  return fisher;
}

TEST(Fisher, WeighsEveryValueAsPlainLoopsDo) {
  const TaskVectors vectors = random_vectors(2);
  const std::vector<Parameters> fishers = {squares(8), squares(9)};
  const std::vector<double> a = flat(vectors.vectors[0]), b = flat(vectors.vectors[1]);
  const std::vector<double> f = flat(fishers[0]), g = flat(fishers[1]);
  std::vector<double> wanted;
  for (std::size_t k = 0; k < a.size(); ++k) {
    wanted.push_back((2 * f[k] * a[k] + g[k] * b[k]) / (2 * f[k] + g[k] + 1e-8));
  }
  expect_near(flat(merge_fisher(vectors, fishers, {2, 1})), wanted, 1e-6);
}

TEST(Fisher, OfEqualValuesIsTheAverageAndOfNoneTheBase) {
  const TaskVectors vectors = random_vectors(2);
  expect_near(flat(merge_fisher(vectors, {constant(3), constant(3)})),
              flat(combine(vectors.vectors, std::vector<double>{0.5, 0.5})), 1e-6);
  EXPECT_EQ(norm(merge_fisher(vectors, {constant(0), constant(0)})), 0);
}

TEST(Fisher, RefusesValuesThatAreNoneNamingTheModel) {
  const TaskVectors vectors = random_vectors(2);
  EXPECT_THAT(refusal([&] { merge_fisher(vectors, {constant(1)}); }),
              HasSubstr("of 1 models, expected 2"));
  EXPECT_THAT(refusal([&] {
                merge_fisher(vectors, {constant(1), constant(-1)});
              }),
              HasSubstr("m2: Fisher values of tensor 'bias' that are below 0"));
  EXPECT_THAT(refusal([&] {
                merge_fisher(vectors, {Parameters(), constant(1)});
              }),
              HasSubstr("m1: no Fisher values of tensor 'bias'"));
  Parameters narrow = constant(1);
  Parameters other;
  for (const Parameter& each : narrow) {
    other.add(each.name, each.name == "table" ? torch::ones({3, 3}) : each.value);
  }
  EXPECT_THAT(refusal([&] {
                merge_fisher(vectors, {other, constant(1)});
              }),
              HasSubstr("m1: Fisher values of tensor 'table' have another shape"));
  EXPECT_THAT(refusal([&] {
                merge_fisher(vectors, {constant(1), constant(1)}, {1, -1});
              }),
              HasSubstr("m2: a weight below 0"));
}

}  // namespace
}  // namespace kith::learn
