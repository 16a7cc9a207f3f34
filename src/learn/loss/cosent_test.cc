#include "learn/loss/cosent.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

const Row kLabels{0.5, 3, 0.5, 1, 5, 2};

double plain(const Rows& first, const Rows& second, const Row& labels, double scale) {
  double sum = 1;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (std::size_t j = 0; j < labels.size(); ++j) {
      if (labels[i] >= labels[j]) continue;
      sum +=
          std::exp(scale * (plain_cosine(first[i], second[i]) - plain_cosine(first[j], second[j])));
    }
  }
  return std::log(sum);
}

TEST(Cosent, EqualsThePlainSum) {
  const Tensor first = random_tensor({6, 4}, 1), second = random_tensor({6, 4}, 2);
  for (const double scale : {0.5, 20.0}) {
    EXPECT_NEAR(value(cosent(first, second, doubles(kLabels), {scale})),
                plain(rows_of(first), rows_of(second), kLabels, scale), 1e-11);
  }
}

TEST(Cosent, HasTheGradientThatIsMeasured) {
  expect_gradients(
      [&](const std::vector<Tensor>& x) { return cosent(x[0], x[1], doubles(kLabels)); },
      {random_tensor({6, 4}, 1), random_tensor({6, 4}, 2)});
}

TEST(Cosent, DependsOnTheOrderOfLabelsAlone) {
  const Tensor first = random_tensor({6, 4}, 1), second = random_tensor({6, 4}, 2);
  const Tensor labels = doubles(kLabels), order = ids({5, 2, 0, 1, 4, 3});
  const double loss = value(cosent(first, second, labels));
  EXPECT_EQ(value(cosent(first, second, labels.exp())), loss);
  EXPECT_NEAR(value(cosent(first * 7, second * 0.1, labels)), loss, 1e-12);
  EXPECT_NEAR(value(cosent(first.index_select(0, order), second.index_select(0, order),
                           labels.index_select(0, order))),
              loss, 1e-12);
}

TEST(Cosent, IsLeastWhereCosinesFollowLabels) {
  const Tensor labels = doubles(kLabels);
  const Tensor angles = (5 - labels) / 5 * M_PI;  // cosine falls from label 5 to 0
  const Tensor x = torch::zeros({6, 2}, torch::kDouble).index_put_({"...", 0}, 1);
  const Tensor y = torch::stack({angles.cos(), angles.sin()}, 1);
  EXPECT_LT(value(cosent(x, y, labels, {200})), 1e-3);
  EXPECT_GT(value(cosent(x, y, -labels, {200})), 100);
}

TEST(Cosent, IsZeroWithoutTwoLabels) {
  for (const std::int64_t batch : {1, 4}) {
    const Tensor first = random_tensor({batch, 4}, 1).requires_grad_();
    const Tensor loss = cosent(first, random_tensor({batch, 4}, 2), torch::ones({batch}));
    EXPECT_EQ(value(loss), 0);
    loss.backward();
    EXPECT_EQ(value(first.grad().abs().max()), 0);
  }
}

TEST(Cosent, IsTheLogOfOrderingsWhereTextsAreEqual) {
  const Tensor same = torch::ones({3, 4}, torch::kDouble);
  EXPECT_NEAR(value(cosent(same, same, doubles({1, 2, 3}))), std::log(4.0), 1e-12);
}

TEST(Cosent, RefusesWhatDoesNotFit) {
  const Tensor x = random_tensor({6, 4}, 1), labels = doubles(kLabels);
  EXPECT_EQ(error_of([&] { cosent(x, x.narrow(0, 0, 5), labels); }),
            "cosent: second: [5, 4], expected [6, 4]");
  EXPECT_EQ(error_of([&] { cosent(x, x, labels.narrow(0, 0, 5)); }),
            "cosent: labels: [5], expected [6]");
  EXPECT_EQ(error_of([&] { cosent(x.narrow(0, 0, 0), x, labels); }),
            "cosent: first: [0, 4], expected [1 or more, 1 or more]");
  EXPECT_EQ(error_of([&] { cosent(x, x, labels, {-1}); }),
            "cosent: scale: -1, expected a finite number above 0");
  EXPECT_EQ(error_of([&] { ranking(x, labels); }), "ranking: scores: [6, 4], expected [1 or more]");
  EXPECT_EQ(error_of([&] { ranking(labels, x); }), "ranking: labels: [6, 4], expected [6]");
}

}  // namespace
}  // namespace kith::learn
