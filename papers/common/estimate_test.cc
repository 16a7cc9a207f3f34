#include "papers/common/estimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"
#include "kith/error.h"

namespace kith::papers {
namespace {

TEST(Estimate, IsStudentsIntervalAboutTheMean) {
  // By hand: mean 3, standard deviation sqrt(2.5), t(4) = 2.7764.
  const Estimate found = estimate(std::vector<double>{1, 2, 3, 4, 5});
  EXPECT_DOUBLE_EQ(found.mean, 3);
  EXPECT_NEAR(found.high - found.mean, 2.7764 * std::sqrt(2.5 / 5), 1e-9);
  EXPECT_NEAR(found.mean - found.low, found.high - found.mean, 1e-12);
  EXPECT_EQ(found.count, 5u);
}

TEST(Estimate, IntervalHoldsTheTrueMean95TimesInA100) {
  for (const std::size_t count : {2, 3, 5, 12, 40}) {
    Random random(count);
    constexpr int kTrials = 4000;
    int inside = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
      std::vector<double> values(count);
      for (double& value : values) value = 7 + random.normal();
      const Estimate found = estimate(values);
      inside += found.low <= 7 && 7 <= found.high ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(inside) / kTrials, 0.95, 0.012) << count << " values";
  }
}

TEST(Estimate, OfValuesThatOnlyRoundingTellsApartHasNoWidth) {
  const Estimate found = estimate(std::vector<double>{0.1 + 0.1 + 0.1, 0.3, 0.3});
  EXPECT_EQ(found.low, found.mean);
  EXPECT_EQ(found.high, found.mean);
}

TEST(Estimate, HasNoIntervalForOneValueAndNothingForNone) {
  const Estimate one = estimate(std::vector<double>{4});
  EXPECT_EQ(one.mean, 4);
  EXPECT_TRUE(std::isnan(one.low) && std::isnan(one.high));
  EXPECT_TRUE(std::isnan(estimate({}).mean));
  EXPECT_TRUE(std::isnan(standard_deviation(std::vector<double>{4})));
}

TEST(Estimate, OfPairsIsFreeOfWhatTheyShare) {
  const std::vector<double> shared = {10, 50, 90}, more = {11, 51, 91};
  const Estimate found = paired_difference(more, shared);
  EXPECT_DOUBLE_EQ(found.mean, 1);
  EXPECT_DOUBLE_EQ(found.low, 1);
  EXPECT_THROW(paired_difference(more, std::vector<double>{1}), Error);
}

TEST(Estimate, RefusesWhatIsNoNumber) {
  EXPECT_THROW(estimate(std::vector<double>{1, std::numeric_limits<double>::quiet_NaN()}), Error);
  EXPECT_THROW(estimate(std::vector<double>{std::numeric_limits<double>::infinity()}), Error);
}

}  // namespace
}  // namespace kith::papers
