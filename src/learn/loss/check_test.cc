#include "learn/loss/check.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/test_error.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

TEST(LossCheck, RefusesWithACodeToBranchOn) {
  try {
    refuse("a reason");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  }
}

TEST(LossCheck, SaysWhatItSawAndExpected) {
  const auto error = [](const Tensor& x, std::initializer_list<std::int64_t> shape) {
    return error_of([&] { expect_shape("a loss: x", x, shape); });
  };
  EXPECT_EQ(error(torch::ones({2, 3}), {2, 3}), "");
  EXPECT_EQ(error(torch::ones({2, 3}), {kAnySize, kAnySize}), "");
  EXPECT_EQ(error({}, {2}), "a loss: x: undefined, expected [2]");
  EXPECT_EQ(error(torch::ones({}), {2}), "a loss: x: a scalar, expected [2]");
  EXPECT_EQ(error(torch::ones({2, 0}), {2, kAnySize}),
            "a loss: x: [2, 0], expected [2, 1 or more]");
  EXPECT_EQ(error(torch::ones({2, 3}), {3, 2}), "a loss: x: [2, 3], expected [3, 2]");
}

TEST(LossCheck, TakesFiniteNumbersAlone) {
  EXPECT_EQ(error_of([] { expect_positive("x", 0.5); }), "");
  EXPECT_EQ(error_of([] { expect_not_negative("x", 0); }), "");
  EXPECT_EQ(error_of([] { expect_positive("x", 0); }), "x: 0, expected a finite number above 0");
  EXPECT_EQ(error_of([] { expect_not_negative("x", -0.5); }),
            "x: -0.5, expected a finite number of at least 0");
  EXPECT_NE(error_of([] { expect_positive("x", INFINITY); }), "");
  EXPECT_NE(error_of([] { expect_not_negative("x", NAN); }), "");
}

}  // namespace
}  // namespace kith::learn
