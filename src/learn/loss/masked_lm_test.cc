#include "learn/loss/masked_lm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

const Tensor kTargets = ids({4, 0, 2});

struct Inputs {
  Tensor hidden = random_tensor({3, 4}, 1), table = random_tensor({6, 4}, 2),
         bias = random_tensor({6}, 3);
};

TEST(MaskedLm, EqualsThePlainMean) {
  const Inputs in;
  for (const bool biased : {true, false}) {
    const Row bias = biased ? row_of(in.bias) : Row(6, 0.0);
    double sum = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      Row scores;
      for (std::size_t v = 0; v < 6; ++v) {
        scores.push_back(plain_dot(rows_of(in.hidden)[i], rows_of(in.table)[v]) + bias[v]);
      }
      sum -= std::log(plain_softmax(scores, static_cast<std::size_t>(kTargets[i].item<int>())));
    }
    const Tensor loss = masked_lm(in.hidden, in.table, biased ? in.bias : Tensor(), kTargets);
    EXPECT_NEAR(value(loss), sum / 3, 1e-12);
  }
}

TEST(MaskedLm, HasTheGradientThatIsMeasured) {
  const Inputs in;
  expect_gradients(
      [&](const std::vector<Tensor>& x) { return masked_lm(x[0], x[1], x[2], kTargets); },
      {in.hidden, in.table, in.bias});
}

TEST(MaskedLm, OfNoPlacesIsZeroWithAGradientOfZero) {
  Inputs in;
  for (Tensor* x : {&in.hidden, &in.table, &in.bias}) x->requires_grad_();
  const Tensor loss = masked_lm(in.hidden.narrow(0, 0, 0), in.table, in.bias, ids({}));
  EXPECT_EQ(value(loss), 0);
  loss.backward();
  for (const Tensor* x : {&in.hidden, &in.table, &in.bias}) {
    ASSERT_TRUE(x->grad().defined());
    EXPECT_EQ(value(x->grad().abs().max()), 0);
  }
}

TEST(MaskedLm, IsTheLogOfTheVocabularyWhereNothingIsKnown) {
  const Inputs in;
  EXPECT_NEAR(value(masked_lm(torch::zeros_like(in.hidden), in.table, {}, kTargets)), std::log(6.0),
              1e-12);
}

TEST(MaskedLm, DoesNotDependOnTheOrderOfPlaces) {
  const Inputs in;
  const Tensor order = ids({2, 0, 1});
  EXPECT_NEAR(value(masked_lm(in.hidden.index_select(0, order), in.table, in.bias,
                              kTargets.index_select(0, order))),
              value(masked_lm(in.hidden, in.table, in.bias, kTargets)), 1e-12);
}

TEST(MaskedLm, ApproachesZeroForACertainGuess) {
  const Tensor table = torch::eye(6, torch::kDouble);
  EXPECT_LT(value(masked_lm(table.index_select(0, kTargets) * 50, table, {}, kTargets)), 1e-12);
}

TEST(MaskedLm, RefusesWhatDoesNotFit) {
  const Inputs in;
  const auto error = [](const Tensor& hidden, const Tensor& table, const Tensor& bias,
                        const Tensor& targets) {
    return error_of([&] { masked_lm(hidden, table, bias, targets); });
  };
  EXPECT_EQ(error(in.hidden, in.table, in.bias, ids({1, 2})),
            "masked_lm: hidden: [3, 4], expected [2, 4]");
  EXPECT_EQ(error(in.hidden, in.table.narrow(1, 0, 3), {}, kTargets),
            "masked_lm: hidden: [3, 4], expected [3, 3]");
  EXPECT_EQ(error(in.hidden, in.table, in.bias.narrow(0, 0, 5), kTargets),
            "masked_lm: bias: [5], expected [6]");
  EXPECT_EQ(error(in.hidden, in.table, {}, ids({0, 6, 1})), "masked_lm: target 6, expected 0 to 5");
  EXPECT_EQ(error(in.hidden, in.table, {}, ids({0, -100, 1})),
            "masked_lm: target -100, expected 0 to 5");
  EXPECT_EQ(error(in.hidden, in.table, {}, doubles({0, 1, 1})),
            "masked_lm: targets are not of type int64");
  EXPECT_EQ(error(in.hidden, {}, {}, kTargets),
            "masked_lm: table: undefined, expected [1 or more, 1 or more]");
  EXPECT_EQ(error(in.hidden, in.table, {}, {}),
            "masked_lm: targets: undefined, expected [1 or more]");
  EXPECT_NE(error(in.hidden, in.table, {}, torch::tensor(1)), "");
}

}  // namespace
}  // namespace kith::learn
