#include "cli/svg_heat_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace kith::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SvgHeatMap, IsDarkestAtTheLargestValueOfAllGrids) {
  const std::string svg = svg_heat_maps(
      {{"one", {"layer 1"}, {"8", "16"}, {{0.25, 0.5}}}, {"two", {"layer 1"}, {"8"}, {{1.0}}}});
  EXPECT_THAT(svg, HasSubstr("fill=\"rgb(239,246,255)\"/>\n<g fill=\"black\">"));
  EXPECT_THAT(svg, HasSubstr("fill=\"rgb(8,64,129)\"/>\n<g fill=\"white\">"));
  for (const char* text : {">one<", ">two<", ">layer 1<", ">16<", ">0.250<", ">1.000<"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
}

TEST(SvgHeatMap, DrawsNothingWhereNothingWasMeasuredAndOneColourForOneValue) {
  const std::string svg = svg_heat_maps({{"a<b", {"x"}, {"y", "z"}, {{std::nan(""), 2.0}}}});
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, HasSubstr("a&lt;b"));
  EXPECT_THAT(svg, HasSubstr(">2.000<"));
}

}  // namespace
}  // namespace kith::cli
