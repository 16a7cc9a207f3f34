// Grids of values as SVG, a cell the darker the larger its value, on one scale for all grids, with
// the value in it. One hue, so that people with colour blindness see what others see.
#pragma once

#include <string>
#include <vector>

namespace kith::cli {

struct HeatMap {
  std::string title;
  std::vector<std::string> rows, columns;
  std::vector<std::vector<double>> values;  // of each row; NaN: no cell
};

// The grids stand below each other.
std::string svg_heat_maps(const std::vector<HeatMap>& maps);

}  // namespace kith::cli
