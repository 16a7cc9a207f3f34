#include "learn/loss/causal_lm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

constexpr std::int64_t kTokens = 8, kDim = 3, kWords = 5;
const std::vector<std::size_t> kBegin{0, 3, 3, 4, 8};  // lengths 3, 0, 1, 4
const std::vector<std::int64_t> kIds{1, 4, 2, 0, 3, 3, 1, 0};

struct Inputs {
  Tensor hidden = random_tensor({kTokens, kDim}, 1), table = random_tensor({kWords, kDim}, 2),
         bias = random_tensor({kWords}, 3);
  Tensor tokens = ids(kIds);
};

double plain(const Inputs& in, const std::vector<bool>& counted) {
  const Rows hidden = rows_of(in.hidden), table = rows_of(in.table);
  const Row bias = row_of(in.bias);
  double sum = 0, count = 0;
  for (std::size_t s = 0; s + 1 < kBegin.size(); ++s) {
    for (std::size_t t = kBegin[s]; t + 1 < kBegin[s + 1]; ++t) {
      if (!counted[t + 1]) continue;
      Row scores;
      for (std::size_t v = 0; v < table.size(); ++v) {
        scores.push_back(plain_dot(hidden[t], table[v]) + bias[v]);
      }
      sum -= std::log(plain_softmax(scores, static_cast<std::size_t>(kIds[t + 1])));
      ++count;
    }
  }
  return sum / count;
}

Tensor bools(const std::vector<bool>& values) {
  Row numbers(values.begin(), values.end());
  return doubles(numbers) > 0;
}

TEST(CausalLm, EqualsThePlainMean) {
  const Inputs in;
  const std::vector<bool> all(kTokens, true),
      some{true, false, true, true, true, true, false, true};
  EXPECT_NEAR(value(causal_lm(in.hidden, in.table, in.bias, in.tokens, kBegin, {})), plain(in, all),
              1e-12);
  EXPECT_NEAR(value(causal_lm(in.hidden, in.table, in.bias, in.tokens, kBegin, bools(some))),
              plain(in, some), 1e-12);
}

TEST(CausalLm, HasTheGradientThatIsMeasured) {
  const Inputs in;
  expect_gradients(
      [&](const std::vector<Tensor>& x) {
        return causal_lm(x[0], x[1], x[2], in.tokens, kBegin, {});
      },
      {in.hidden, in.table, in.bias});
}

TEST(CausalLm, NeverCrossesTheEndOfASequence) {
  const Inputs in;
  const double loss = value(causal_lm(in.hidden, in.table, in.bias, in.tokens, kBegin, {}));
  Inputs other;
  for (const std::int64_t last : {2, 3, 7}) other.hidden[last].fill_(9);  // judge nothing
  for (const std::int64_t first : {0, 3, 4}) other.tokens[first] = 2;     // are no targets
  EXPECT_EQ(value(causal_lm(other.hidden, in.table, in.bias, other.tokens, kBegin, {})), loss);
}

TEST(CausalLm, DoesNotDependOnTheOrderOfSequences) {
  const Inputs in;
  const Tensor order = ids({4, 5, 6, 7, 0, 1, 2, 3});
  const std::vector<std::size_t> begin{0, 4, 7, 8};
  EXPECT_NEAR(value(causal_lm(in.hidden.index_select(0, order), in.table, in.bias,
                              in.tokens.index_select(0, order), begin, {})),
              value(causal_lm(in.hidden, in.table, in.bias, in.tokens, kBegin, {})), 1e-12);
}

TEST(CausalLm, OfNoTargetsIsZeroWithAGradientOfZero) {
  const std::vector<std::size_t> singles{0, 1, 2, 3, 4, 5, 6, 7, 8};
  for (const bool masked : {true, false}) {
    Inputs in;
    in.hidden.requires_grad_();
    const Tensor counted = masked ? bools(std::vector<bool>(kTokens, false)) : Tensor();
    const Tensor loss =
        causal_lm(in.hidden, in.table, in.bias, in.tokens, masked ? kBegin : singles, counted);
    EXPECT_EQ(value(loss), 0);
    loss.backward();
    EXPECT_EQ(value(in.hidden.grad().abs().max()), 0);
  }
}

TEST(CausalLm, RefusesWhatDoesNotFit) {
  const Inputs in;
  const auto error = [&](const Tensor& tokens, const std::vector<std::size_t>& begin,
                         const Tensor& counted = {}) {
    return error_of([&] { causal_lm(in.hidden, in.table, in.bias, tokens, begin, counted); });
  };
  const std::string bounds =
      "causal_lm: begin, expected ascending numbers from 0 to 8, the number of tokens";
  for (const std::vector<std::size_t>& bad :
       {std::vector<std::size_t>{}, {0}, {0, 7}, {1, 8}, {0, 5, 4, 8}, {0, 9, 8}}) {
    EXPECT_EQ(error(in.tokens, bad), bounds);
  }
  EXPECT_EQ(error(in.tokens.narrow(0, 0, 7), kBegin), "causal_lm: tokens: [7], expected [8]");
  EXPECT_EQ(error(in.tokens, kBegin, bools({true})), "causal_lm: counted: [1], expected [8]");
  EXPECT_EQ(error(in.tokens, kBegin, in.tokens), "causal_lm: counted is not of type bool");
  EXPECT_EQ(error(in.tokens.to(torch::kInt), kBegin), "causal_lm: targets are not of type int64");
  EXPECT_EQ(error(in.tokens + 4, kBegin), "causal_lm: target 8, expected 0 to 4");
  EXPECT_NE(error_of([&] { causal_lm({}, in.table, {}, in.tokens, kBegin, {}); }), "");
}

}  // namespace
}  // namespace kith::learn
