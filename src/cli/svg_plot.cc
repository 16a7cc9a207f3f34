#include "cli/svg_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/format.h"
#include "cli/svg.h"

namespace kith::cli {
namespace {

constexpr double kWidth = 720, kHeight = 480;
constexpr double kLeft = 90, kRight = 20, kTop = 50, kBottom = 60;
constexpr double kLegend = 250;  // the column of names beside the plot
constexpr std::size_t kMostInside = 5;
constexpr std::array<const char*, 7> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                 "#e69f00", "#56b4e9", "#000000"};

// What maps values to the canvas.
struct Axes {
  double x_low = 1, x_high = 1, y_low = 1, y_high = 10;  // y in powers of ten

  double x(double value) const {
    return kLeft + (value - x_low) / (x_high - x_low) * (kWidth - kLeft - kRight);
  }
  double y(double value) const {
    const double part = (std::log10(value) - std::log10(y_low)) / std::log10(y_high / y_low);
    return kHeight - kBottom - part * (kHeight - kTop - kBottom);
  }
};

Axes fit(const std::vector<PlotSeries>& series) {
  double x_low = 1, y_low = 1e300, y_high = 0;
  for (const PlotSeries& one : series) {
    for (const auto& [x, y] : one.points) {
      if (y <= 0) continue;
      x_low = std::min(x_low, x);
      y_low = std::min(y_low, y);
      y_high = std::max(y_high, y);
    }
  }
  Axes axes;
  axes.x_low = std::max(0.0, std::floor(x_low * 20 - 1e-9) / 20);
  axes.x_high = 1;
  if (axes.x_low >= axes.x_high) axes.x_low = 0.95;
  if (y_high > 0) {
    axes.y_low = std::pow(10, std::floor(std::log10(y_low)));
    axes.y_high = std::pow(10, std::ceil(std::log10(y_high) + 1e-9));
    if (axes.y_high <= axes.y_low) axes.y_high = axes.y_low * 10;
  }
  return axes;
}

std::string grid(const Axes& axes) {
  std::string svg;
  const double range = axes.x_high - axes.x_low;
  const double step = range > 0.4 ? 0.1 : range > 0.2 ? 0.05 : range > 0.1 ? 0.02 : 0.01;
  const int decimals = step < 0.1 ? 2 : 1;
  for (double x = axes.x_low; x <= axes.x_high + 1e-9; x += step) {
    svg += svg_line(axes.x(x), kTop, axes.x(x), kHeight - kBottom, "#ddd");
    svg += svg_text(axes.x(x), kHeight - kBottom + 20, "middle", fixed_text(x, decimals));
  }
  for (double decade = axes.y_low; decade <= axes.y_high * 1.01; decade *= 10) {
    for (const int multiple : {1, 2, 5}) {
      const double y = decade * multiple;
      if (y > axes.y_high * 1.01) break;
      svg +=
          svg_line(kLeft, axes.y(y), kWidth - kRight, axes.y(y), multiple == 1 ? "#bbb" : "#eee");
      svg += svg_text(kLeft - 8, axes.y(y) + 4, "end", rate_text(y));
    }
  }
  return svg;
}

std::string marker(std::size_t shape, double x, double y, const char* colour) {
  switch (shape % 3) {
    case 0:
      return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\"/>\n", x, y,
                         colour);
    case 1:
      return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"7\" height=\"7\" fill=\"{}\"/>\n",
                         x - 3.5, y - 3.5, colour);
    default:
      return fmt::format("<path d=\"M{:.1f} {:.1f}l4.5 8h-9z\" fill=\"{}\"/>\n", x, y - 5, colour);
  }
}

std::string curve(const Axes& axes, const PlotSeries& series, std::size_t number) {
  const char* colour = kColours[number % kColours.size()];
  std::string path, markers;
  for (const auto& [x, y] : series.points) {
    if (y <= 0) continue;
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", axes.x(x), axes.y(y));
    markers += marker(number, axes.x(x), axes.y(y), colour);
  }
  return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n", path,
                     colour) +
         markers;
}

// A few names fit into the lower left corner, which curves of recall against rate leave free; more
// stand beside the plot.
bool is_beside(const std::vector<PlotSeries>& series) { return series.size() > kMostInside; }

std::string legend(const std::vector<PlotSeries>& series) {
  std::string svg;
  const double x = is_beside(series) ? kWidth - 10 : kLeft;
  double y = is_beside(series)
                 ? kTop + 10
                 : kHeight - kBottom - 14 - 20 * (static_cast<double>(series.size()) - 1);
  for (std::size_t i = 0; i < series.size(); ++i, y += 20) {
    const char* colour = kColours[i % kColours.size()];
    svg += svg_line(x + 10, y, x + 40, y, colour) + marker(i, x + 25, y, colour);
    svg += svg_text(x + 48, y + 4, "start", series[i].name);
  }
  return svg;
}

}  // namespace

std::string svg_plot(const std::string& title, const std::string& x_title,
                     const std::string& y_title, const std::vector<PlotSeries>& series) {
  const Axes axes = fit(series);
  const double width = kWidth + (is_beside(series) ? kLegend : 0);
  std::string svg = svg_canvas(width, kHeight);
  svg += fmt::format("<g font-size=\"16\">{}</g>", svg_text(kWidth / 2, 28, "middle", title));
  svg += grid(axes);
  svg += svg_text((kLeft + kWidth - kRight) / 2, kHeight - 15, "middle", x_title);
  svg += fmt::format("<g transform=\"translate(20 {:.1f}) rotate(-90)\">{}</g>\n", kHeight / 2,
                     svg_text(0, 0, "middle", y_title));
  for (std::size_t i = 0; i < series.size(); ++i) svg += curve(axes, series[i], i);
  return svg + legend(series) + "</svg>\n";
}

std::string svg_plots(const std::vector<std::string>& plots) {
  std::string svg = svg_canvas(kWidth + kLegend, kHeight * static_cast<double>(plots.size()));
  double y = 0;
  for (const std::string& plot : plots) {
    svg += fmt::format("<g transform=\"translate(0 {:.0f})\">\n{}</g>\n", y, plot);
    y += kHeight;
  }
  return svg + "</svg>\n";
}

}  // namespace kith::cli
