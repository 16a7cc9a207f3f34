#include "learn/loss/distillation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

double plain_kl(const Rows& student, const Rows& teacher, double temperature, double power) {
  double sum = 0;
  for (std::size_t i = 0; i < student.size(); ++i) {
    Row s = student[i], t = teacher[i];
    for (double& x : s) x /= temperature;
    for (double& x : t) x /= temperature;
    for (std::size_t j = 0; j < s.size(); ++j) {
      const double p = plain_softmax(t, j), q = plain_softmax(s, j);
      sum += p * std::log(p / q);
    }
  }
  return std::pow(temperature, power) * sum / static_cast<double>(student.size());
}

TEST(Distillation, EqualsThePlainDivergence) {
  const Tensor student = random_tensor({3, 5}, 1), teacher = random_tensor({3, 5}, 2);
  for (const double temperature : {0.3, 1.0, 4.0}) {
    for (const double power : {0.0, 1.0, 2.0}) {
      EXPECT_NEAR(value(distil_softmax(student, teacher, {temperature, power})),
                  plain_kl(rows_of(student), rows_of(teacher), temperature, power), 1e-11);
    }
  }
}

TEST(Distillation, EqualsThePlainMeansOfCosinesAndSquares) {
  const Tensor student = random_tensor({3, 5}, 1), teacher = random_tensor({3, 5}, 2);
  const Rows s = rows_of(student), t = rows_of(teacher);
  double apart = 0, squares = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    apart += 1 - plain_cosine(s[i], t[i]);
    for (std::size_t j = 0; j < 5; ++j) squares += (s[i][j] - t[i][j]) * (s[i][j] - t[i][j]);
  }
  EXPECT_NEAR(value(distil_cosine(student, teacher)), apart / 3, 1e-12);
  EXPECT_NEAR(value(distil_mse(student, teacher)), squares / 15, 1e-12);
}

TEST(Distillation, HasTheGradientThatIsMeasured) {
  const Tensor teacher = random_tensor({3, 5}, 2), student = random_tensor({3, 5}, 1);
  const DistilOptions both{.temperature = 0.5, .power = 2, .detach_teacher = false};
  expect_gradients([&](const std::vector<Tensor>& x) { return distil_softmax(x[0], x[1], both); },
                   {student, teacher});
  expect_gradients([&](const std::vector<Tensor>& x) { return distil_softmax(x[0], teacher); },
                   {student});
  expect_gradients([&](const std::vector<Tensor>& x) { return distil_cosine(x[0], teacher); },
                   {student});
  expect_gradients([&](const std::vector<Tensor>& x) { return distil_mse(x[0], teacher); },
                   {student});
}

TEST(Distillation, GivesTheTeacherNoGradientUnlessAsked) {
  const auto gradient = [](const auto& loss) {
    const Tensor student = random_tensor({3, 5}, 1).requires_grad_();
    const Tensor teacher = random_tensor({3, 5}, 2).requires_grad_();
    loss(student, teacher).backward();
    return teacher.grad().defined();
  };
  EXPECT_FALSE(gradient([](auto& s, auto& t) { return distil_softmax(s, t); }));
  EXPECT_TRUE(
      gradient([](auto& s, auto& t) { return distil_softmax(s, t, {.detach_teacher = false}); }));
  EXPECT_FALSE(gradient([](auto& s, auto& t) { return distil_cosine(s, t); }));
  EXPECT_FALSE(gradient([](auto& s, auto& t) { return distil_mse(s, t); }));
}

TEST(Distillation, IsLeastForTheTeacherItself) {
  const Tensor x = random_tensor({3, 5}, 1);
  EXPECT_NEAR(value(distil_softmax(x, x + 3)), 0, 1e-12);  // shares know no shift
  EXPECT_NEAR(value(distil_cosine(x, x * 3)), 0, 1e-12);
  EXPECT_EQ(value(distil_mse(x, x)), 0);
  for (std::uint64_t seed = 2; seed < 20; ++seed) {
    EXPECT_GT(value(distil_softmax(random_tensor({3, 5}, seed), x)), 0);
  }
}

TEST(Distillation, DoesNotDependOnTheOrderOfRowsOrCandidates) {
  const Tensor s = random_tensor({3, 5}, 1), t = random_tensor({3, 5}, 2);
  const Tensor rows = ids({2, 0, 1}), columns = ids({4, 1, 0, 3, 2});
  const auto moved = [&](const Tensor& x) {
    return x.index_select(0, rows).index_select(1, columns);
  };
  EXPECT_NEAR(value(distil_softmax(moved(s), moved(t))), value(distil_softmax(s, t)), 1e-12);
}

TEST(Distillation, LeavesOutCandidatesThatAreMinusInfinityInBoth) {
  Tensor s = random_tensor({2, 5}, 1), t = random_tensor({2, 5}, 2);
  const double shorter = value(distil_softmax(s.narrow(1, 0, 3), t.narrow(1, 0, 3)));
  s.narrow(1, 3, 2).fill_(-std::numeric_limits<double>::infinity());
  t.narrow(1, 3, 2).fill_(-std::numeric_limits<double>::infinity());
  s.requires_grad_();
  t.requires_grad_();
  const Tensor loss = distil_softmax(s, t, {.detach_teacher = false});
  EXPECT_NEAR(value(loss), shorter, 1e-12);
  loss.backward();
  EXPECT_TRUE(torch::isfinite(s.grad()).all().item<bool>());
  EXPECT_TRUE(torch::isfinite(t.grad()).all().item<bool>());
}

TEST(Distillation, RefusesWhatDoesNotFit) {
  const Tensor x = random_tensor({3, 5}, 1);
  EXPECT_EQ(error_of([&] { distil_softmax(x, x.narrow(1, 0, 4)); }),
            "distil_softmax: teacher: [3, 4], expected [3, 5]");
  EXPECT_EQ(error_of([&] { distil_softmax(x.narrow(0, 0, 0), x); }),
            "distil_softmax: student: [0, 5], expected [1 or more, 1 or more]");
  EXPECT_EQ(error_of([&] { distil_softmax(x, x, {.temperature = 0}); }),
            "distil_softmax: temperature: 0, expected a finite number above 0");
  EXPECT_EQ(error_of([&] { distil_softmax(x, x, {.power = -1}); }),
            "distil_softmax: power: -1, expected a finite number of at least 0");
  EXPECT_NE(error_of([&] { distil_cosine(x, {}); }), "");
  EXPECT_NE(error_of([&] { distil_mse(x, x.narrow(0, 0, 1)); }), "");
}

}  // namespace
}  // namespace kith::learn
