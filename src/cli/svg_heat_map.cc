#include "cli/svg_heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/format.h"
#include "cli/svg.h"

namespace kith::cli {
namespace {

constexpr double kCell = 80, kHeight = 28, kNames = 120, kTitle = 36, kGap = 16;

struct Scale {
  double low = 1e300, high = -1e300;

  // From 0 to 1.
  double part(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

Scale scale_of(const std::vector<HeatMap>& maps) {
  Scale scale;
  for (const HeatMap& map : maps) {
    for (const std::vector<double>& row : map.values) {
      for (const double value : row) {
        if (std::isnan(value)) continue;
        scale.low = std::min(scale.low, value);
        scale.high = std::max(scale.high, value);
      }
    }
  }
  return scale;
}

// From nearly white to dark blue.
std::string colour(double part) {
  const auto mix = [&](int light, int dark) {
    return static_cast<int>(std::lround(light + part * (dark - light)));
  };
  return fmt::format("rgb({},{},{})", mix(239, 8), mix(246, 64), mix(255, 129));
}

std::string cell(double x, double y, double value, const Scale& scale) {
  constexpr double kPale = 0.5;  // below it letters are black
  const double part = scale.part(value);
  return fmt::format(
             "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>\n"
             "<g fill=\"{}\">",
             x, y, kCell, kHeight, colour(part), part < kPale ? "black" : "white") +
         svg_text(x + kCell / 2, y + kHeight / 2 + 4, "middle", fixed_text(value, 3)) + "</g>\n";
}

double height_of(const HeatMap& map) {
  return kTitle + kHeight * (static_cast<double>(map.rows.size()) + 1) + kGap;
}

std::string draw(const HeatMap& map, double top, const Scale& scale) {
  std::string svg =
      "<g font-size=\"15\">" + svg_text(kGap, top + 24, "start", map.title) + "</g>\n";
  const auto x = [](std::size_t column) { return kNames + kCell * static_cast<double>(column); };
  const auto y = [&](std::size_t row) {
    return top + kTitle + kHeight * (static_cast<double>(row) + 1);
  };
  for (std::size_t c = 0; c < map.columns.size(); ++c) {
    svg += svg_text(x(c) + kCell / 2, y(0) - 8, "middle", map.columns[c]);
  }
  for (std::size_t r = 0; r < map.rows.size(); ++r) {
    svg += svg_text(kNames - 8, y(r) + kHeight / 2 + 4, "end", map.rows[r]);
    for (std::size_t c = 0; c < map.values[r].size(); ++c) {
      if (!std::isnan(map.values[r][c])) svg += cell(x(c), y(r), map.values[r][c], scale);
    }
  }
  return svg;
}

}  // namespace

std::string svg_heat_maps(const std::vector<HeatMap>& maps) {
  std::size_t columns = 0;
  double height = kGap;
  for (const HeatMap& map : maps) {
    columns = std::max(columns, map.columns.size());
    height += height_of(map);
  }
  const Scale scale = scale_of(maps);
  std::string svg = svg_canvas(kNames + kCell * static_cast<double>(columns) + kGap, height);
  double top = 0;
  for (const HeatMap& map : maps) {
    svg += draw(map, top, scale);
    top += height_of(map);
  }
  return svg + "</svg>\n";
}

}  // namespace kith::cli
