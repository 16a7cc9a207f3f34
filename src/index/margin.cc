#include "index/margin.h"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace kith {

float margin_for(std::vector<float> errors, double recall) {
  // Fewer are lost in fact: until all k nearest are known the limit is wider (docs/performance.md).
  constexpr double kShareOfLosses = 0.4;
  if (errors.empty()) return std::numeric_limits<float>::max();
  const double within = 1 - kShareOfLosses * (1 - recall);
  const auto place = std::min(
      errors.size() - 1, static_cast<std::size_t>(within * static_cast<double>(errors.size())));
  const auto at = errors.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(errors.begin(), at, errors.end());
  return std::max(0.0f, *at);
}

}  // namespace kith
