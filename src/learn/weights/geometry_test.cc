#include "learn/weights/geometry.h"

#include <gtest/gtest.h>

#include <cmath>

#include "learn/weights/test_models.h"

namespace kith::learn {
namespace {

TEST(Geometry, HasLengthsAndAnglesInDegrees) {
  const Parameters zero = random_model(1);
  for (const Parameter& each : zero) at::Tensor(each.value).zero_();
  const auto with_bias = [&](const std::vector<float>& bias) {
    Parameters model = zero.copy();
    model["bias"].copy_(torch::tensor(bias));
    return model;
  };
  const Geometry geometry =
      geometry_of(make_task_vectors({"base", zero}, {{"a", with_bias({3, 4, 0})},
                                                     {"b", with_bias({-4, 3, 0})},
                                                     {"c", with_bias({-6, -8, 0})},
                                                     {"d", zero}}));
  EXPECT_EQ(geometry.norms, (std::vector<double>{5, 5, 10, 0}));
  EXPECT_EQ(geometry.angles[0][0], 0);
  EXPECT_NEAR(geometry.angles[0][1], 90, 1e-9);
  EXPECT_NEAR(geometry.angles[2][0], 180, 1e-5);
  EXPECT_TRUE(std::isnan(geometry.angles[0][3]));
}

}  // namespace
}  // namespace kith::learn
