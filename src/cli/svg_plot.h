// A line chart as SVG: recall from left to right, rate upwards on a logarithmic scale. Colours are
// told apart by people with colour blindness (Okabe and Ito's palette), lines by their markers too.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace kith::cli {

struct PlotSeries {
  std::string name;
  std::vector<std::pair<double, double>> points;  // x (recall in [0, 1]), y > 0 (rate)
};

// Points with a rate of 0 or less are left out.
std::string svg_plot(const std::string& title, const std::string& x_title,
                     const std::string& y_title, const std::vector<PlotSeries>& series);

// Such charts below each other, as one page.
std::string svg_plots(const std::vector<std::string>& plots);

}  // namespace kith::cli
