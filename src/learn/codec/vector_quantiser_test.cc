#include "learn/codec/vector_quantiser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/nn/random_tensors.h"
#include "learn/torch.h"
#include "learn/train/optimiser.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

QuantiserOptions options_of(const std::string& kind, int bits = 5, std::int64_t dim = 6) {
  QuantiserOptions options;
  options.kind = kind;
  options.bits = bits;
  options.dim = dim;
  return options;
}

at::Tensor drawn(std::int64_t rows, std::int64_t dim, std::uint64_t seed, double spread = 1) {
  Random random(seed);
  return normal_tensor({rows, dim}, random, spread);
}

TEST(VectorQuantisers, ChooseTheNearestCodeword) {
  for (const char* const kind : {"vq", "ema", "simvq", "simvq-trained"}) {
    const VectorQuantiser quantiser(options_of(kind), 3);
    const at::Tensor z = drawn(50, 6, 4, 0.5), words = quantiser.codebook();
    const Quantised result = quantiser(z);
    const at::Tensor distances = (z.unsqueeze(1) - words.unsqueeze(0)).square().sum(2);
    const at::Tensor chosen = distances.gather(1, result.codes.unsqueeze(1)).squeeze(1);
    EXPECT_TRUE(torch::allclose(chosen, std::get<0>(distances.min(1)), 1e-5, 1e-6)) << kind;
    EXPECT_TRUE(torch::allclose(result.values, words.index_select(0, result.codes))) << kind;
    EXPECT_TRUE(result.codes.equal(quantiser.codes(z))) << kind;
  }
}

TEST(VectorQuantisers, RoundToTheCodewordsOfTheirCodes) {
  for (const int bits : {1, 2, 3, 4, 8, 10, 13}) {
    const VectorQuantiser quantiser(options_of("fsq", bits), 3);
    const at::Tensor words = quantiser.codebook();
    ASSERT_EQ(words.size(0), std::int64_t{1} << bits);
    const at::Tensor z = drawn(400, quantiser.dim(), 4, 2);
    const Quantised result = quantiser(z);
    EXPECT_TRUE(torch::allclose(result.values, words.index_select(0, result.codes))) << bits;
    EXPECT_TRUE(result.codes.equal(quantiser.codes(z)));
    EXPECT_EQ(result.loss.item<double>(), 0);
    // All of them are different, and within reach.
    EXPECT_EQ(std::get<0>(torch::unique_dim(words, 0)).size(0), words.size(0)) << bits;
    const at::Tensor many = drawn(40000, quantiser.dim(), 5);
    EXPECT_GT(code_usage(quantiser.codes(many), words.size(0)).utilisation, 0.7) << bits;
  }
}

TEST(VectorQuantisers, LetGradientsStraightThrough) {
  for (const char* const kind : kQuantisers) {
    const VectorQuantiser quantiser(options_of(kind), 3);
    const at::Tensor z = drawn(7, quantiser.dim(), 4, 0.1).set_requires_grad(true);
    const at::Tensor weights = drawn(7, quantiser.dim(), 5);
    (quantiser(z).values * weights).sum().backward();
    if (std::string(kind) != "fsq") {
      EXPECT_TRUE(torch::allclose(z.grad(), weights)) << kind;
    } else {
      EXPECT_TRUE((z.grad() * weights).gt(0).all().item<bool>());  // through a tanh
    }
  }
}

// mean (sg(z) - e)^2 + beta mean (z - sg(e))^2: to z by beta, to what makes e by the rest.
TEST(VectorQuantisers, WeighTheLossAsTheAuthorsDo) {
  for (const char* const kind : {"vq", "simvq", "simvq-trained"}) {
    const VectorQuantiser quantiser(options_of(kind), 3);
    const at::Tensor z = drawn(9, 6, 4).set_requires_grad(true);
    const Quantised result = quantiser(z);
    const at::Tensor difference = (quantiser.codebook().index_select(0, result.codes) - z).detach();
    EXPECT_NEAR(result.loss.item<double>(), 1.25 * difference.square().mean().item<double>(), 1e-5);
    result.loss.backward();
    EXPECT_TRUE(torch::allclose(z.grad(), -2 * 0.25 * difference / 54, 1e-4, 1e-7)) << kind;
    if (std::string(kind) == "vq") {
      const at::Tensor expected =
          torch::zeros({32, 6}).index_add_(0, result.codes, 2 * difference / 54);
      EXPECT_TRUE(torch::allclose(quantiser.parameters()["words"].grad(), expected, 1e-4, 1e-7));
    }
  }
}

// The slope of mean (sg(z) - C W^T - b)^2 at fixed codes.
TEST(VectorQuantisers, MoveEveryCodewordByOneLayer) {
  const VectorQuantiser quantiser(options_of("simvq"), 3);
  const at::Tensor z = drawn(9, 6, 4);
  const at::Tensor before = quantiser.codebook().detach().clone();
  const Parameters parameters = quantiser.parameters();
  Optimiser optimiser({.learning_rate = 1e-2, .weight_decay = 0}, parameters);
  optimiser.zero_gradients();
  const Quantised result = quantiser(z);
  result.loss.backward();
  const at::Tensor codes = result.codes;
  expect_gradients(
      [&](const std::vector<Tensor>& inputs) {
        const Tensor words = torch::linear(inputs[0], inputs[1], inputs[2]);
        return (words.index_select(0, codes) - inputs[3]).square().mean();
      },
      {drawn(32, 6, 1).to(torch::kFloat64), drawn(6, 6, 2).to(torch::kFloat64),
       drawn(1, 6, 3).squeeze(0).to(torch::kFloat64), z.to(torch::kFloat64)});
  optimiser.step(1);
  const at::Tensor moved = (quantiser.codebook() - before).abs().sum(1);
  EXPECT_TRUE(moved.gt(1e-4).all().item<bool>());
  EXPECT_FALSE(parameters.has("basis"));
}

TEST(VectorQuantisers, FollowTheMeansOfWhatChoosesThem) {
  QuantiserOptions options = options_of("ema", 1, 2);
  options.decay = 0;  // at once
  VectorQuantiser quantiser(options, 3);
  const at::Tensor z = torch::tensor({5.0F, 5.0F, 5.0F, 6.0F, -4.0F, -4.0F}).view({3, 2});
  Random random(1);
  for (int step = 0; step < 20; ++step) quantiser.follow(z, quantiser.codes(z), random);
  const at::Tensor sorted = std::get<0>(quantiser.codebook().sort(0));
  EXPECT_TRUE(
      torch::allclose(sorted, torch::tensor({-4.0F, -4.0F, 5.0F, 5.5F}).view({2, 2}), 1e-3, 1e-3));
}

TEST(VectorQuantisers, KeepMoreCodewordsInUseThanPlainOnes) {
  const at::Tensor rows = drawn(4000, 6, 8);
  const auto used = [&](const char* kind) {
    VectorQuantiser quantiser(options_of(kind, 8), 3);
    const Parameters parameters = quantiser.parameters();
    Optimiser optimiser({.learning_rate = 1e-2, .weight_decay = 0}, parameters);
    Random random(2);
    for (int step = 0; step < 300; ++step) {
      const at::Tensor z = rows.narrow(0, step % 15 * 256, 256);
      optimiser.zero_gradients();
      const Quantised result = quantiser(z);
      if (result.loss.requires_grad()) result.loss.backward();
      optimiser.step(1);
      quantiser.follow(z, result.codes, random);
    }
    return code_usage(quantiser.codes(rows), 256);
  };
  const CodeUsage plain = used("vq");
  for (const char* const kind : {"ema", "simvq", "simvq-trained"}) {
    EXPECT_GT(used(kind).utilisation, plain.utilisation + 0.1) << kind;
    EXPECT_GT(used(kind).perplexity, plain.perplexity) << kind;
  }
}

TEST(CodeUsages, CountCodewordsAndTheirEntropy) {
  const CodeUsage even = code_usage(torch::tensor({0, 1, 2, 3}, torch::kInt64), 8);
  EXPECT_DOUBLE_EQ(even.utilisation, 0.5);
  EXPECT_NEAR(even.perplexity, 4, 1e-9);
  const CodeUsage one = code_usage(torch::tensor({5, 5, 5}, torch::kInt64), 8);
  EXPECT_DOUBLE_EQ(one.utilisation, 0.125);
  EXPECT_NEAR(one.perplexity, 1, 1e-9);
  EXPECT_EQ(code_usage(torch::empty({0}, torch::kInt64), 8).utilisation, 0);
}

TEST(VectorQuantisers, TakeNoRowsAndRefuseWhatIsNone) {
  for (const char* const kind : kQuantisers) {
    const VectorQuantiser quantiser(options_of(kind), 3);
    EXPECT_EQ(quantiser(torch::zeros({0, quantiser.dim()})).codes.size(0), 0) << kind;
  }
  EXPECT_THAT(error_of([] { VectorQuantiser(options_of("none"), 1); }), HasSubstr("expected vq"));
  EXPECT_THAT(error_of([] { VectorQuantiser(options_of("vq", 17), 1); }), HasSubstr("17 bits"));
  EXPECT_THAT(error_of([] { VectorQuantiser(options_of("vq", 8, 0), 1); }),
              HasSubstr("at least 1"));
}

}  // namespace
}  // namespace kith::learn
