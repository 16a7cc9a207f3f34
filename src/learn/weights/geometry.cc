#include "learn/weights/geometry.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "learn/torch.h"

namespace kith::learn {

Geometry geometry_of(const TaskVectors& vectors) {
  const at::Tensor gram = gram_of(vectors.vectors);
  const auto products = gram.accessor<double, 2>();
  const auto count = static_cast<std::int64_t>(vectors.size());
  Geometry geometry;
  for (std::int64_t i = 0; i < count; ++i) {
    geometry.norms.push_back(std::sqrt(products[i][i]));
    std::vector<double>& row = geometry.angles.emplace_back();
    for (std::int64_t j = 0; j < count; ++j) {
      const double lengths = std::sqrt(products[i][i] * products[j][j]);
      const double cosine = std::clamp(products[i][j] / lengths, -1.0, 1.0);
      row.push_back(lengths > 0 ? std::acos(i == j ? 1 : cosine) * 180 / std::numbers::pi
                                : std::numeric_limits<double>::quiet_NaN());
    }
  }
  return geometry;
}

}  // namespace kith::learn
