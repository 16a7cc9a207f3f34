#include "cli/options.h"

#include <gtest/gtest.h>

#include "kith/error.h"

namespace kith::cli {
namespace {

TEST(Options, CountsAreWholeNumbersWithinBounds) {
  EXPECT_EQ(parse_counts("--beams", "10,20,40", 1, 100), (std::vector<std::size_t>{10, 20, 40}));
  for (const char* text : {"", "10,", ",10", "0", "101", "1.5", "-1", "+1", " 1", "1e1", "ten"}) {
    EXPECT_THROW(parse_counts("--beams", text, 1, 100), Error) << text;
  }
}

TEST(Options, ComponentsAreFiniteNumbers) {
  EXPECT_EQ(parse_components("--vector", "0.5, -2,1e-3,+4"),
            (std::vector<float>{0.5f, -2.0f, 1e-3f, 4.0f}));
  for (const char* text : {"", "1,,2", "nan", "inf", "1,-inf", "1e99", "1;2", "0x10"}) {
    EXPECT_THROW(parse_components("--vector", text), Error) << text;
  }
}

TEST(Options, ErrorsNameTheOptionTheValueAndWhatWasExpected) {
  try {
    parse_counts("--beams", "10,zero", 1, 100);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "--beams: 'zero', expected a whole number from 1 to 100");
  }
}

}  // namespace
}  // namespace kith::cli
