#include "kith/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace kith {
namespace {

TEST(Half, EveryValueSurvivesTheRoundTripThroughFloat) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    Half h;
    h.bits = static_cast<std::uint16_t>(bits);
    const float value = static_cast<float>(h);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(static_cast<float>(Half(value)))) << bits;
    } else {
      EXPECT_EQ(Half(value).bits, bits);
    }
  }
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(static_cast<float>(Half(1.0f + 0x1p-11f)), 1.0f);                // a tie: down to even
  EXPECT_EQ(static_cast<float>(Half(1.0f + 3 * 0x1p-11f)), 1.0f + 0x1p-9f);  // a tie: up to even
  EXPECT_EQ(static_cast<float>(Half(65519.0f)), 65504.0f);
  EXPECT_EQ(static_cast<float>(Half(65520.0f)), std::numeric_limits<float>::infinity());
  EXPECT_EQ(static_cast<float>(Half(0x1p-25f)), 0.0f);  // half the smallest subnormal: to even
  EXPECT_EQ(static_cast<float>(Half(0x1.8p-25f)), 0x1p-24f);
}

TEST(BFloat16, EveryValueSurvivesTheRoundTripThroughFloat) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    BFloat16 b;
    b.bits = static_cast<std::uint16_t>(bits);
    const float value = static_cast<float>(b);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(static_cast<float>(BFloat16(value)))) << bits;
    } else {
      EXPECT_EQ(BFloat16(value).bits, bits);
    }
  }
}

}  // namespace
}  // namespace kith
