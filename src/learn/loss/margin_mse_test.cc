#include "learn/loss/margin_mse.h"

#include <gtest/gtest.h>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/info_nce.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

TEST(MarginMse, EqualsThePlainMean) {
  const Tensor scores = random_tensor({4, 3}, 1), teacher = random_tensor({4, 3}, 2);
  const Rows s = rows_of(scores), t = rows_of(teacher);
  double sum = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 1; j < 3; ++j) {
      const double difference = (s[i][0] - s[i][j]) - (t[i][0] - t[i][j]);
      sum += difference * difference;
    }
  }
  EXPECT_NEAR(value(margin_mse(scores, teacher)), sum / 8, 1e-12);
}

TEST(MarginMse, HasTheGradientThatIsMeasured) {
  const Tensor teacher = random_tensor({4, 3}, 2);
  expect_gradients([&](const std::vector<Tensor>& x) { return margin_mse(x[0], teacher); },
                   {random_tensor({4, 3}, 1)});
  const InfoNceOptions own{.similarity = Similarity::dot, .in_batch = false};
  expect_gradients(
      [&](const std::vector<Tensor>& x) {
        return margin_mse(candidate_scores({x[0], x[1], x[2]}, own), teacher);
      },
      {random_tensor({4, 5}, 3), random_tensor({4, 5}, 4), random_tensor({4, 2, 5}, 5)});
}

TEST(MarginMse, IsZeroWhereLeadsAreEqualWhateverTheScores) {
  const Tensor scores = random_tensor({4, 3}, 1), shift = random_tensor({4, 1}, 2);
  EXPECT_NEAR(value(margin_mse(scores, scores + shift)), 0, 1e-12);
  const Tensor teacher = random_tensor({4, 3}, 3), order = ids({2, 0, 3, 1});
  EXPECT_NEAR(value(margin_mse(scores.index_select(0, order), teacher.index_select(0, order))),
              value(margin_mse(scores, teacher)), 1e-12);
}

TEST(MarginMse, GivesTheTeacherNoGradient) {
  const Tensor scores = random_tensor({1, 2}, 1).requires_grad_();
  const Tensor teacher = random_tensor({1, 2}, 2).requires_grad_();
  margin_mse(scores, teacher).backward();
  EXPECT_FALSE(teacher.grad().defined());
}

TEST(MarginMse, RefusesWhatDoesNotFit) {
  const Tensor x = random_tensor({4, 3}, 1);
  EXPECT_EQ(error_of([&] { margin_mse(x, x.narrow(1, 0, 2)); }),
            "margin_mse: teacher: [4, 2], expected [4, 3]");
  EXPECT_EQ(error_of([&] { margin_mse(x.narrow(0, 0, 0), x); }),
            "margin_mse: scores: [0, 3], expected [1 or more, 1 or more]");
  EXPECT_EQ(error_of([&] { margin_mse(x.narrow(1, 0, 1), x.narrow(1, 0, 1)); }),
            "margin_mse: 1 score a row, expected a positive's and others");
}

}  // namespace
}  // namespace kith::learn
