#include "learn/nn/factored_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "base/test_error.h"
#include "base/test_rows.h"
#include "encode/compress.h"
#include "learn/loss/gradient_check.h"
#include "learn/nn/tensor_files.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

using encode::PackedTensor;
using testing::HasSubstr;

constexpr std::size_t kRows = 6, kCols = 12, kSub = 4;

PackedTensor packed(const char* method, std::size_t dim) {
  encode::CompressOptions options;
  options.method = method;
  options.sub = kSub;
  options.words = 5;
  options.dim = dim;
  return encode::pack_tensor("table", normal_rows(kRows, kCols, 3), options);
}

Parameters model() {
  Parameters all;
  all.add("transformer.table",
          torch::zeros({std::int64_t{kRows}, std::int64_t{kCols}}).set_requires_grad(true));
  all.add("transformer.bias", torch::zeros({3}).set_requires_grad(true));
  return all;
}

std::vector<PackedTensor> one(PackedTensor tensor) {
  std::vector<PackedTensor> tensors;
  tensors.push_back(std::move(tensor));
  return tensors;
}

TEST(FactoredWeights, AreTheMatrixThatTheirFactorsMake) {
  for (const auto& [method, dim] : {std::pair("lr2vq", 2), {"vq", 4}}) {
    const Parameters parameters = model();
    const PackedTensor tensor = packed(method, static_cast<std::size_t>(dim));
    const Matrix<float> expected = tensor.decode();
    const FactoredWeights factored(parameters, one(packed(method, static_cast<std::size_t>(dim))));
    EXPECT_TRUE(
        torch::allclose(parameters["transformer.table"], tensor_of(expected.view()), 1e-5, 1e-6));
    EXPECT_TRUE(factored.trained().has("transformer.table.centres"));
    EXPECT_TRUE(factored.trained().has("transformer.bias"));
    EXPECT_FALSE(factored.trained().has("transformer.table"));
    const std::vector<PackedTensor> back = factored.packed();
    ASSERT_EQ(back.size(), 1U);
    EXPECT_EQ(back[0].codes, tensor.codes);
    const Matrix<float> decoded = back[0].decode();
    for (std::size_t i = 0; i < kRows; ++i) {
      for (std::size_t j = 0; j < kCols; ++j) EXPECT_EQ(decoded(i, j), expected(i, j));
    }
  }
}

// What collect() adds is what autograd finds through the product itself, which is checked against
// slopes.
TEST(FactoredWeights, TakeTheGradientOfTheirProduct) {
  for (const bool low_rank : {true, false}) {
    const Parameters parameters = model();
    PackedTensor tensor =
        low_rank ? encode::representations_of("table", normal_rows(kRows, kCols, 3), kSub, 2)
                 : packed("lr2vq", 2);
    const std::vector<std::int64_t> list(tensor.codes.begin(), tensor.codes.end());
    const at::Tensor codes = torch::tensor(list, torch::kInt64),
                     target = torch::randn({std::int64_t{kRows}, std::int64_t{kCols}}),
                     centres = tensor_of(tensor.centres.view()),
                     expansion = tensor_of(tensor.expansion.view());
    const auto loss_of = [&](const at::Tensor& whole) {
      return (whole - target.to(whole.dtype())).tanh().square().sum();
    };
    const auto through = [&](const std::vector<at::Tensor>& factors) {
      return loss_of(factors[0]
                         .mm(factors[1])
                         .index_select(0, codes)
                         .view({std::int64_t{kRows}, std::int64_t{kCols}}));
    };
    expect_gradients(through, {centres.to(torch::kFloat64), expansion.to(torch::kFloat64)});

    const FactoredWeights factored(parameters, one(std::move(tensor)));
    const at::Tensor whole = parameters["transformer.table"];
    loss_of(whole).backward();
    factored.collect();
    EXPECT_FALSE(whole.grad().defined());
    const at::Tensor c = centres.clone().set_requires_grad(true),
                     b = expansion.clone().set_requires_grad(true);
    through({c, b}).backward();
    const Parameters trained = factored.trained();
    EXPECT_TRUE(torch::allclose(trained["transformer.table.centres"].grad(), c.grad(), 1e-4, 1e-5));
    EXPECT_TRUE(
        torch::allclose(trained["transformer.table.expansion"].grad(), b.grad(), 1e-4, 1e-5));
    // A second batch before the step adds to it.
    loss_of(whole).backward();
    factored.collect();
    EXPECT_TRUE(
        torch::allclose(trained["transformer.table.centres"].grad(), 2 * c.grad(), 1e-4, 1e-5));
  }
}

TEST(FactoredWeights, OfFullRankAreTheMatrixItself) {
  const Matrix<float> values = normal_rows(kRows, kCols, 3);
  const Matrix<float> decoded = encode::representations_of("table", values, kSub, kSub).decode();
  double error = 0;
  const Matrix<float> half = encode::representations_of("table", values, kSub, 2).decode();
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t j = 0; j < kCols; ++j) {
      EXPECT_NEAR(decoded(i, j), values(i, j), 1e-5);
      error += std::pow(half(i, j) - values(i, j), 2);
    }
  }
  // The best of its rank: what the eigenvalues left out say.
  const at::Tensor s = tensor_of(values.view()).view({-1, std::int64_t{kSub}}).to(torch::kFloat64);
  const at::Tensor left = std::get<0>(torch::linalg_eigh(s.t().mm(s))).narrow(0, 0, 2).sum();
  EXPECT_NEAR(error, left.item<double>(), 1e-4);
}

TEST(FactoredWeights, RefuseWhatTheModelDoesNotHave) {
  const Parameters parameters = model();
  PackedTensor other = packed("vq", 4);
  other.name = "other";
  EXPECT_THAT(error_of([&] { FactoredWeights(parameters, one(std::move(other))); }),
              HasSubstr("'other': no trained tensor"));
  EXPECT_THAT(error_of([&] { FactoredWeights(parameters, one(packed("int8", 0))); }),
              HasSubstr("expected codes"));
  EXPECT_THAT(error_of([] { encode::representations_of("table", normal_rows(4, 6, 1), 4, 2); }),
              HasSubstr("'table': 2 dimensions of sub-vectors of 4 values, in rows of 6"));
}

}  // namespace
}  // namespace kith::learn
