#include "learn/loss/triplet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

constexpr TripletDistance kDistances[] = {TripletDistance::cosine, TripletDistance::euclidean};
const std::vector<std::int64_t> kLabels{0, 1, 0, 2, 1, 0, 3};

double plain_distance(const Row& a, const Row& b, TripletDistance kind) {
  if (kind == TripletDistance::cosine) return 1 - plain_cosine(a, b);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

double plain_batch_hard(const Rows& x, const TripletOptions& options) {
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    double farthest = -1, nearest = std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double apart = plain_distance(x[i], x[j], options.distance);
      if (kLabels[i] != kLabels[j]) nearest = std::min(nearest, apart);
      if (kLabels[i] == kLabels[j] && i != j) farthest = std::max(farthest, apart);
    }
    if (farthest < 0) continue;
    sum += std::max(0.0, farthest - nearest + options.margin);
    ++count;
  }
  return sum / count;
}

TEST(Triplet, EqualsThePlainMean) {
  const Tensor a = random_tensor({7, 4}, 1), p = random_tensor({7, 4}, 2),
               n = random_tensor({7, 4}, 3);
  for (const TripletDistance kind : kDistances) {
    const TripletOptions options{0.3, kind};
    double sum = 0;
    for (std::size_t i = 0; i < 7; ++i) {
      const double near = plain_distance(rows_of(a)[i], rows_of(p)[i], kind);
      const double far = plain_distance(rows_of(a)[i], rows_of(n)[i], kind);
      sum += std::max(0.0, near - far + 0.3);
    }
    EXPECT_NEAR(value(triplet(a, p, n, options)), sum / 7, 1e-12);
  }
}

TEST(Triplet, TakesTheHardestOfABatch) {
  const Tensor x = random_tensor({7, 4}, 1);
  for (const TripletDistance kind : kDistances) {
    const TripletOptions options{0.3, kind};
    EXPECT_NEAR(value(batch_hard_triplet(x, ids(kLabels), options)),
                plain_batch_hard(rows_of(x), options), 1e-12);
  }
}

TEST(Triplet, HasTheGradientThatIsMeasured) {
  for (const TripletDistance kind : kDistances) {
    const TripletOptions options{0.3, kind};
    expect_gradients(
        [&](const std::vector<Tensor>& x) { return triplet(x[0], x[1], x[2], options); },
        {random_tensor({7, 4}, 1), random_tensor({7, 4}, 2), random_tensor({7, 4}, 3)});
    expect_gradients(
        [&](const std::vector<Tensor>& x) {
          return batch_hard_triplet(x[0], ids(kLabels), options);
        },
        {random_tensor({7, 4}, 1)});
  }
}

TEST(Triplet, IsZeroBeyondTheMarginAndTheMarginForEqualTexts) {
  const Tensor x = torch::eye(4, torch::kDouble).requires_grad_(), away = x.detach().roll(1, 0);
  for (const TripletDistance kind : kDistances) {
    EXPECT_EQ(value(triplet(x, x, away, {0.9, kind})), 0);
    const Tensor equal = triplet(x, x, x, {0.9, kind});
    EXPECT_NEAR(value(equal), 0.9, 1e-12);
    equal.backward();
    EXPECT_TRUE(torch::isfinite(x.grad()).all().item<bool>());
  }
}

TEST(Triplet, DoesNotDependOnOrderNorOnLengthsUnderCosine) {
  const Tensor x = random_tensor({7, 4}, 1), order = ids({6, 2, 0, 4, 3, 1, 5});
  const Tensor labels = ids(kLabels), lengths = random_tensor({7, 1}, 2).exp();
  const double loss = value(batch_hard_triplet(x, labels));
  EXPECT_NEAR(value(batch_hard_triplet(x * lengths, labels)), loss, 1e-12);
  EXPECT_NEAR(value(batch_hard_triplet(x.index_select(0, order), labels.index_select(0, order))),
              loss, 1e-12);
}

TEST(Triplet, IsZeroWhereNoTextHasPositiveAndNegative) {
  for (const std::vector<std::int64_t>& labels :
       {std::vector<std::int64_t>{0}, {0, 1, 2}, {5, 5, 5}}) {
    const Tensor x =
        random_tensor({static_cast<std::int64_t>(labels.size()), 4}, 1).requires_grad_();
    const Tensor loss = batch_hard_triplet(x, ids(labels));
    EXPECT_EQ(value(loss), 0);
    loss.backward();
    EXPECT_EQ(value(x.grad().abs().max()), 0);
  }
}

TEST(Triplet, RefusesWhatDoesNotFit) {
  const Tensor x = random_tensor({7, 4}, 1);
  EXPECT_EQ(error_of([&] { triplet(x, x.narrow(0, 0, 2), x); }),
            "triplet: positives: [2, 4], expected [7, 4]");
  EXPECT_EQ(error_of([&] { triplet(x, x, x.narrow(1, 0, 2)); }),
            "triplet: negatives: [7, 2], expected [7, 4]");
  EXPECT_EQ(error_of([&] { triplet(x.narrow(0, 0, 0), x, x); }),
            "triplet: anchors: [0, 4], expected [1 or more, 1 or more]");
  EXPECT_EQ(error_of([&] { triplet(x, x, x, {.margin = -1}); }),
            "triplet: margin: -1, expected a finite number of at least 0");
  EXPECT_EQ(error_of([&] {
              batch_hard_triplet(x, ids({1, 2}));
            }),
            "batch_hard_triplet: labels: [2], expected [7]");
  EXPECT_NE(error_of([&] { batch_hard_triplet({}, ids({1, 2})); }), "");
  EXPECT_NE(error_of([&] { batch_hard_triplet(x, ids(kLabels), {.margin = NAN}); }), "");
}

}  // namespace
}  // namespace kith::learn
