#include "learn/train/curves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kith::learn {
namespace {

using testing::HasSubstr;
using testing::Not;

TrainSummary course() {
  TrainSummary summary;
  for (std::int64_t step = 1; step <= 100; ++step) {
    summary.lines.push_back({.step = step, .loss = 5 - 0.04 * static_cast<double>(step)});
  }
  return summary;
}

TEST(Curves, ShowTheLossFromItsHighestToItsLowest) {
  const std::string svg = draw_curves(course());
  EXPECT_THAT(svg, testing::StartsWith("<svg "));
  EXPECT_THAT(svg, testing::EndsWith("</svg>\n"));
  EXPECT_THAT(svg, HasSubstr(">loss</text>"));
  EXPECT_THAT(svg, HasSubstr(">4.96</text>"));
  EXPECT_THAT(svg, HasSubstr(">1</text>"));
  EXPECT_THAT(svg, HasSubstr(">100</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("held-out")));
  // The last loss stands in the corner that the axes span.
  EXPECT_THAT(svg, HasSubstr("L700.0 200.0\" fill=\"none\" stroke=\"#9ecae1\""));
}

TEST(Curves, ShowTheFirstMetricOfValidationsBeneath) {
  TrainSummary summary = course();
  summary.validations = {{50, "mrr_at_10", 0.25}, {50, "other", 7}, {100, "mrr_at_10", 0.75}};
  const std::string svg = draw_curves(summary);
  EXPECT_THAT(svg, HasSubstr("mrr_at_10 of held-out examples"));
  EXPECT_THAT(svg, HasSubstr(">0.75</text>"));
  EXPECT_THAT(svg, HasSubstr("M385.0 440.0L700.0 280.0"));
  EXPECT_THAT(svg, Not(HasSubstr("other")));
}

TEST(Curves, OfOneStepAndOfNoneAreDrawingsToo) {
  TrainSummary summary;
  EXPECT_THAT(draw_curves(summary), testing::EndsWith("</svg>\n"));
  summary.lines.push_back({.step = 1, .loss = 2});
  EXPECT_THAT(draw_curves(summary), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace kith::learn
