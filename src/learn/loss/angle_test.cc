#include "learn/loss/angle.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

const Row kLabels{0, 1, 0, 1, 1};
constexpr AngleOptions kCosine{.angle_weight = 0, .in_batch_weight = 0};
constexpr AngleOptions kAngle{.cosine_weight = 0, .in_batch_weight = 0};
constexpr AngleOptions kInBatch{.cosine_weight = 0, .angle_weight = 0};

double plain_ranking(const Row& scores, const Row& labels) {
  double sum = 1;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (std::size_t j = 0; j < labels.size(); ++j) {
      if (labels[i] < labels[j]) sum += std::exp(scores[i] - scores[j]);
    }
  }
  return std::log(sum);
}

// The quotient as written: components over the squared length of y, then over |x| / |y|.
double plain_angle(const Row& x, const Row& y) {
  const std::size_t half = x.size() / 2;
  const double xx = plain_dot(x, x), yy = plain_dot(y, y);
  double sum = 0;
  for (std::size_t j = 0; j < half; ++j) {
    const std::complex<double> product =
        std::complex(x[j], x[half + j]) * std::conj(std::complex(y[j], y[half + j]));
    sum += (product.real() + product.imag()) / yy / std::sqrt(xx / yy);
  }
  return std::abs(sum);
}

double plain_in_batch(const Rows& first, const Rows& second, const Row& labels, double scale) {
  Rows texts = first;
  texts.insert(texts.end(), second.begin(), second.end());
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::size_t partner = (i + first.size()) % texts.size();
    if (labels[i % first.size()] < 1) continue;
    double shares = 0;
    for (std::size_t j = 0; j < texts.size(); ++j) {
      if (j != i) shares += std::exp(scale * plain_cosine(texts[i], texts[j]));
    }
    sum += std::log(shares) - scale * plain_cosine(texts[i], texts[partner]);
    ++count;
  }
  return sum / count;
}

TEST(Angle, EqualsThePlainSums) {
  const Tensor first = random_tensor({5, 6}, 1), second = random_tensor({5, 6}, 2);
  const Rows x = rows_of(first), y = rows_of(second);
  Row cosines, angles;
  for (std::size_t i = 0; i < x.size(); ++i) {
    cosines.push_back(20 * plain_cosine(x[i], y[i]));
    angles.push_back(1.5 * plain_angle(x[i], y[i]));
  }
  const double by_cosine = plain_ranking(cosines, kLabels);
  const double by_angle = plain_ranking(angles, kLabels);
  const double in_batch = plain_in_batch(x, y, kLabels, 20);
  const Tensor labels = doubles(kLabels);
  AngleOptions options{.cosine_weight = 2, .angle_weight = 3, .in_batch_weight = 0.5};
  options.angle_scale = 1.5;
  EXPECT_NEAR(value(angle(first, second, labels, kCosine)), by_cosine, 1e-11);
  EXPECT_NEAR(value(angle(first, second, labels, kInBatch)), in_batch, 1e-11);
  EXPECT_NEAR(value(angle(first, second, labels, options)),
              2 * by_cosine + 3 * by_angle + 0.5 * in_batch, 1e-11);
}

TEST(Angle, HasTheGradientThatIsMeasured) {
  for (const AngleOptions& options : {AngleOptions{}, kAngle, kInBatch}) {
    expect_gradients(
        [&](const std::vector<Tensor>& x) { return angle(x[0], x[1], doubles(kLabels), options); },
        {random_tensor({5, 6}, 1), random_tensor({5, 6}, 2)});
  }
}

TEST(Angle, DoesNotDependOnOrderOrLengths) {
  const Tensor first = random_tensor({5, 6}, 1), second = random_tensor({5, 6}, 2);
  const Tensor labels = doubles(kLabels), order = ids({4, 2, 0, 1, 3});
  const double loss = value(angle(first, second, labels));
  EXPECT_NEAR(value(angle(first * 5, second * 0.2, labels)), loss, 1e-12);
  EXPECT_NEAR(value(angle(first.index_select(0, order), second.index_select(0, order),
                          labels.index_select(0, order))),
              loss, 1e-12);
}

TEST(Angle, IsOneForEqualTextsAndRootTwoAnEighthOfATurnApart) {
  const Tensor x = doubles({1, 0}).view({1, 2}), between = doubles({1, -1}).view({1, 2});
  const Tensor pairs = torch::cat({x, x}), others = torch::cat({x, between});
  const double loss = value(angle(pairs, others, doubles({0, 1}), kAngle));
  EXPECT_NEAR(loss, std::log(1 + std::exp(1 - std::sqrt(2.0))), 1e-12);
}

TEST(Angle, IsZeroForOnePairAndInBatchWithoutPartners) {
  const Tensor x = random_tensor({1, 6}, 1), y = random_tensor({1, 6}, 2);
  EXPECT_EQ(value(angle(x, y, torch::ones({1}))), 0);
  const Tensor many = random_tensor({4, 6}, 3).requires_grad_();
  const Tensor none = angle(many, random_tensor({4, 6}, 4), torch::zeros({4}), kInBatch);
  EXPECT_EQ(value(none), 0);
  none.backward();
  EXPECT_EQ(value(many.grad().abs().max()), 0);
}

TEST(Angle, HasInBatchTheLogOfTheOthersWhereTextsAreEqual) {
  const Tensor same = torch::ones({3, 4}, torch::kDouble);
  EXPECT_NEAR(value(angle(same, same, torch::ones({3}), kInBatch)), std::log(5.0), 1e-12);
}

TEST(Angle, RefusesWhatDoesNotFit) {
  const Tensor x = random_tensor({5, 6}, 1), labels = doubles(kLabels);
  const auto error = [&](const AngleOptions& options) {
    return error_of([&] { angle(x, x, labels, options); });
  };
  EXPECT_EQ(error_of([&] { angle(x.narrow(1, 0, 5), x.narrow(1, 0, 5), labels); }),
            "angle: 5 dimensions, expected an even number: halves are real and imaginary parts");
  EXPECT_EQ(error_of([&] { angle(x, x.narrow(1, 0, 4), labels); }),
            "angle: second: [5, 4], expected [5, 6]");
  EXPECT_EQ(error_of([&] { angle(x, x, labels.narrow(0, 0, 2)); }),
            "angle: labels: [2], expected [5]");
  EXPECT_EQ(error_of([&] { angle({}, x, labels); }),
            "angle: first: undefined, expected [1 or more, 1 or more]");
  EXPECT_NE(error({.cosine_weight = -1}), "");
  EXPECT_NE(error({.angle_weight = -1}), "");
  EXPECT_NE(error({.in_batch_weight = -1}), "");
  EXPECT_EQ(error({.cosine_weight = 0, .angle_weight = 0, .in_batch_weight = 0}),
            "angle: all weights are 0, expected one above 0");
  EXPECT_NE(error({.cosine_scale = 0}), "");
  EXPECT_NE(error({.angle_scale = 0}), "");
  EXPECT_NE(error({.in_batch_scale = 0}), "");
  EXPECT_NE(error({.positive_label = NAN}), "");
}

}  // namespace
}  // namespace kith::learn
