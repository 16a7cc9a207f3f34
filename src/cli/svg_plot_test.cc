#include "cli/svg_plot.h"

#include <gtest/gtest.h>

namespace kith::cli {
namespace {

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(SvgPlot, MarksEveryPointAndNamesEveryCurve) {
  const std::string svg = svg_plot("words", "recall@10", "queries/s",
                                   {{"kith", {{0.8, 20000}, {0.95, 9000}, {0.99, 3000}}},
                                    {"peer", {{0.7, 10000}, {0.9, 4000}}}});
  EXPECT_EQ(occurrences(svg, "<circle"), 3u + 1u);  // and one in the legend
  EXPECT_EQ(occurrences(svg, "height=\"7\""), 2u + 1u);
  EXPECT_NE(svg.find(">kith</text>"), std::string::npos);
  EXPECT_NE(svg.find(">peer</text>"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(SvgPlot, EscapesNames) {
  const std::string svg = svg_plot("a<b", "x", "y", {{"\"R&D\"", {{0.5, 10}}}});
  EXPECT_NE(svg.find("a&lt;b"), std::string::npos);
  EXPECT_NE(svg.find("&quot;R&amp;D&quot;"), std::string::npos);
}

TEST(SvgPlot, DrawsNoImpossibleCoordinates) {
  for (const double rate : {0.0, 1.0, 10.0}) {
    const std::string svg = svg_plot("t", "x", "y", {{"one", {{1.0, rate}}}, {"none", {}}});
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
  }
}

TEST(SvgPlot, PutsManyNamesBesideThePlot) {
  const std::vector<PlotSeries> few(5, {"one", {{0.9, 10}}}), many(6, {"one", {{0.9, 10}}});
  EXPECT_NE(svg_plot("t", "x", "y", few).find("viewBox=\"0 0 720 480\""), std::string::npos);
  EXPECT_NE(svg_plot("t", "x", "y", many).find("viewBox=\"0 0 970 480\""), std::string::npos);
}

}  // namespace
}  // namespace kith::cli
