#include "learn/train/schedule.h"

#include <gtest/gtest.h>

#include "kith/error.h"

namespace kith::learn {
namespace {

TEST(Schedule, RisesToTheFullRateAndFallsToItsFloor) {
  for (const char* shape : {"linear", "cosine"}) {
    const ScheduleOptions options{.shape = shape, .warmup = 10, .floor = 0.1};
    EXPECT_DOUBLE_EQ(schedule_factor(options, 0, 110), 0.1);
    EXPECT_DOUBLE_EQ(schedule_factor(options, 9, 110), 1);
    EXPECT_DOUBLE_EQ(schedule_factor(options, 10, 110), 1);
    EXPECT_NEAR(schedule_factor(options, 60, 110), 0.55, 1e-12);
    EXPECT_NEAR(schedule_factor(options, 110, 110), 0.1, 1e-12);
    double before = 1;
    for (int step = 10; step < 110; ++step) {
      const double factor = schedule_factor(options, step, 110);
      EXPECT_LE(factor, before);
      before = factor;
    }
  }
}

TEST(Schedule, ConstantStaysAndAShareOfStepsWarmsUp) {
  const ScheduleOptions options{.shape = "constant", .warmup = 0.25};
  EXPECT_DOUBLE_EQ(schedule_factor(options, 0, 8), 0.5);
  for (int step = 1; step < 8; ++step) EXPECT_DOUBLE_EQ(schedule_factor(options, step, 8), 1);
}

TEST(Schedule, WithoutWarmUpStartsAtTheFullRate) {
  EXPECT_DOUBLE_EQ(schedule_factor({.shape = "linear", .warmup = 0}, 0, 4), 1);
  EXPECT_DOUBLE_EQ(schedule_factor({.shape = "linear", .warmup = 0}, 3, 4), 0.25);
}

TEST(Schedule, OfAnotherShapeIsRefused) {
  EXPECT_THROW(schedule_factor({.shape = "square"}, 5, 6), Error);
}

}  // namespace
}  // namespace kith::learn
