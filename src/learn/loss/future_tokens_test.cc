#include "learn/loss/future_tokens.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/test_error.h"
#include "learn/loss/causal_lm.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/masked_lm.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

const std::vector<std::size_t> kBegin{0, 5, 6, 8};
const std::vector<std::size_t> kPlaces{0, 3, 4, 5, 6};
const std::vector<std::int64_t> kIds{1, 4, 2, 0, 3, 3, 1, 0};
constexpr std::int64_t kCount = 3, kDim = 3, kWords = 5;

struct Inputs {
  Tensor states = random_tensor({5, kCount, kDim}, 1), table = random_tensor({kWords, kDim}, 2),
         bias = random_tensor({kWords}, 3);
  Tensor targets = future_targets(ids(kIds), kBegin, kPlaces, kCount);
};

double plain(const Inputs& in, double decay) {
  const Rows states = rows_of(in.states), table = rows_of(in.table), targets = rows_of(in.targets);
  const Row bias = row_of(in.bias);
  double mean = 0, places = 0;
  for (std::size_t p = 0; p < targets.size(); ++p) {
    double sum = 0, mass = 0;
    for (std::size_t k = 0; k < targets[p].size(); ++k) {
      if (targets[p][k] < 0) continue;
      Row scores;
      for (std::size_t v = 0; v < table.size(); ++v) {
        scores.push_back(plain_dot(states[p * kCount + k], table[v]) + bias[v]);
      }
      const double weight = std::pow(decay, static_cast<double>(k));
      sum -= weight * std::log(plain_softmax(scores, static_cast<std::size_t>(targets[p][k])));
      mass += weight;
    }
    if (mass == 0) continue;
    mean += sum / mass;
    ++places;
  }
  return mean / places;
}

TEST(FutureTokens, AreTheNextOnesOfTheirSequence) {
  EXPECT_EQ(rows_of(Inputs().targets),
            (Rows{{4, 2, 0}, {3, -1, -1}, {-1, -1, -1}, {-1, -1, -1}, {0, -1, -1}}));
}

TEST(FutureTokens, EqualThePlainMean) {
  const Inputs in;
  for (const double decay : {0.0, 1e-9, 0.3, 0.8, 1.0}) {
    EXPECT_NEAR(value(future_tokens(in.states, in.table, in.bias, in.targets, {decay})),
                plain(in, decay), 1e-12);
  }
}

TEST(FutureTokens, HaveTheGradientThatIsMeasured) {
  const Inputs in;
  for (const double decay : {0.0, 0.8}) {
    expect_gradients(
        [&](const std::vector<Tensor>& x) {
          return future_tokens(x[0], x[1], x[2], in.targets, {decay});
        },
        {in.states, in.table, in.bias});
  }
}

TEST(FutureTokens, AreTheNextTokenAloneWithoutDecay) {
  const Inputs in;
  const Tensor first = in.states.select(1, 0);  // of places 0, 3 and 6, which have a next token
  const Tensor next = ids({4, 3, 0}), rows = ids({0, 1, 4});
  const double expected = value(masked_lm(first.index_select(0, rows), in.table, in.bias, next));
  const auto loss = [&](double decay) {
    return value(future_tokens(in.states, in.table, in.bias, in.targets, {decay}));
  };
  EXPECT_NEAR(loss(0), expected, 1e-12);
  EXPECT_NEAR(loss(1e-8), expected, 1e-6);

  const std::vector<std::size_t> all{0, 1, 2, 3, 4, 5, 6, 7};
  const Tensor hidden = random_tensor({8, kDim}, 4);
  EXPECT_NEAR(value(future_tokens(hidden.unsqueeze(1), in.table, in.bias,
                                  future_targets(ids(kIds), kBegin, all, 1))),
              value(causal_lm(hidden, in.table, in.bias, ids(kIds), kBegin, {})), 1e-12);
}

TEST(FutureTokens, DoNotDependOnTheOrderOfPlaces) {
  const Inputs in;
  const Tensor order = ids({2, 4, 0, 3, 1});
  EXPECT_NEAR(value(future_tokens(in.states.index_select(0, order), in.table, in.bias,
                                  in.targets.index_select(0, order))),
              value(future_tokens(in.states, in.table, in.bias, in.targets)), 1e-12);
}

TEST(FutureTokens, OfNoTargetsAreZeroWithAGradientOfZero) {
  Inputs in;
  in.states.requires_grad_();
  const Tensor none = torch::full_like(in.targets, kNoToken);
  const Tensor loss = future_tokens(in.states, in.table, in.bias, none);
  EXPECT_EQ(value(loss), 0);
  loss.backward();
  EXPECT_EQ(value(in.states.grad().abs().max()), 0);
}

TEST(FutureTokens, LeaveOutPlacesWithoutANextTokenWithoutDecay) {
  Inputs in;
  in.targets[0][0] = kNoToken;  // by the caller: the later ones weigh 0
  EXPECT_NEAR(value(future_tokens(in.states, in.table, in.bias, in.targets, {0})), plain(in, 0),
              1e-12);
}

TEST(FutureTokens, RefuseWhatDoesNotFit) {
  const Inputs in;
  const auto error = [&](const Tensor& states, const Tensor& targets, double decay = 0.8) {
    return error_of([&] { future_tokens(states, in.table, in.bias, targets, {decay}); });
  };
  EXPECT_EQ(error(in.states, in.targets.narrow(1, 0, 2)),
            "future_tokens: targets: [5, 2], expected [5, 3]");
  EXPECT_EQ(error(in.states.narrow(0, 0, 0), in.targets),
            "future_tokens: states: [0, 3, 3], expected [1 or more, 1 or more, 1 or more]");
  EXPECT_EQ(error(in.states, in.targets.to(torch::kInt)),
            "future_tokens: targets are not of type int64");
  EXPECT_EQ(error(in.states, in.targets - 1), "future_tokens: target -2, expected 0 to 4");
  EXPECT_EQ(error(in.states, in.targets, 2), "future_tokens: decay 2.000000, expected 0 to 1");
  EXPECT_NE(error(in.states, in.targets, -0.1), "");
  EXPECT_NE(error(in.states, in.targets, NAN), "");
}

TEST(FutureTokens, RefusePlacesThatAreNone) {
  const Tensor tokens = ids(kIds);
  const std::vector<std::size_t> outside{8};
  EXPECT_EQ(error_of([&] { future_targets(tokens, kBegin, outside, 1); }),
            "future_targets: place 8, expected 0 to 7");
  EXPECT_EQ(error_of([&] { future_targets(tokens, kBegin, kPlaces, 0); }),
            "future_targets: count 0, expected 1 or more");
  EXPECT_NE(error_of([&] { future_targets(tokens, outside, kPlaces, 1); }), "");
  EXPECT_NE(error_of([&] { future_targets(tokens.to(torch::kInt), kBegin, kPlaces, 1); }), "");
}

}  // namespace
}  // namespace kith::learn
