#include "index/margin.h"

#include <algorithm>
#include <cstddef>

namespace kith {

float margin_for(std::span<const std::vector<float>> errors, double recall) {
  // Fewer are lost in fact: until all k nearest are known the limit is wider (docs/performance.md).
  constexpr double kShareOfLosses = 0.4;
  std::vector<float> all;
  for (const std::vector<float>& some : errors) all.insert(all.end(), some.begin(), some.end());
  if (all.empty()) return kNoMargin;
  const double within = 1 - kShareOfLosses * (1 - recall);
  const auto place =
      std::min(all.size() - 1, static_cast<std::size_t>(within * static_cast<double>(all.size())));
  const auto at = all.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(all.begin(), at, all.end());
  return std::max(0.0f, *at);
}

}  // namespace kith
