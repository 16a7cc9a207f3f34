#include "learn/loss/concepts.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/test_error.h"
#include "learn/loss/gradient_check.h"
#include "learn/loss/test_tensors.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

constexpr double kAbsent = 0.3;

// The fourth text has no list.
Tensor given() {
  return torch::tensor({{1., 0., 0.}, {0., 1., 1.}, {0., 0., 1.}, {0., 0., 0.}}, torch::kFloat64);
}
Tensor weights() { return torch::tensor({10., 2., 1.}, torch::kFloat64); }

TEST(ConceptLoss, EqualsThePlainMean) {
  const Tensor z = random_tensor({4, 3}, 1);
  const Rows rows = rows_of(z), y = rows_of(given());
  const double positive[] = {10, 2, 1};
  double sum = 0, all = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      const double p = 1 / (1 + std::exp(-rows[i][j]));
      const double weight = y[i][j] > 0 ? positive[j] : kAbsent;
      sum -= weight * std::log(y[i][j] > 0 ? p : 1 - p);
      all += weight;
    }
  }
  EXPECT_NEAR(value(concept_loss(z, given(), weights(), kAbsent)), sum / all, 1e-12);
}

TEST(ConceptLoss, HasTheGradientOfItsSlopes) {
  expect_gradients(
      [](const std::vector<Tensor>& x) { return concept_loss(x[0], given(), weights(), kAbsent); },
      {random_tensor({4, 3}, 2)});
}

TEST(ConceptLoss, IsNothingWhereNoTextHasAList) {
  const Tensor none = torch::zeros({4, 3}, torch::kFloat64);
  EXPECT_EQ(value(concept_loss(random_tensor({4, 3}, 3), none, weights(), kAbsent)), 0);
}

TEST(ConceptLoss, RefusesWhatDoesNotFit) {
  const Tensor z = random_tensor({4, 3}, 1);
  EXPECT_THAT(error_of([&] {
                concept_loss(z, torch::zeros({4, 2}), weights(), 1);
              }),
              HasSubstr("given"));
  EXPECT_THAT(error_of([&] { concept_loss(z, given(), torch::ones({2}), 1); }),
              HasSubstr("positive weights"));
  EXPECT_THAT(error_of([&] { concept_loss(z, given(), weights(), 0); }), HasSubstr("absent"));
}

}  // namespace
}  // namespace kith::learn
