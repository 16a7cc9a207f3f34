#include "kith/correlation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>

#include "kith/error.h"

namespace kith {
namespace {

void check_finite(std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw Error(ErrorCode::invalid_argument, "value " + std::to_string(i) + " is " +
                                                   std::to_string(values[i]) +
                                                   ", expected a finite number");
    }
  }
}

void check_pairs(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) {
    throw Error(ErrorCode::invalid_argument, std::to_string(a.size()) + " values beside " +
                                                 std::to_string(b.size()) +
                                                 ", expected as many of both");
  }
  check_finite(a);
  check_finite(b);
}

// Less the mean, scaled to norm 1; empty for constant values.
std::vector<double> standardised(std::span<const double> values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) /
                      static_cast<double>(std::max<std::size_t>(values.size(), 1));
  std::vector<double> result;
  double squares = 0;
  for (const double value : values) {
    result.push_back(value - mean);
    squares += (value - mean) * (value - mean);
  }
  const bool constant = std::all_of(values.begin(), values.end(),
                                    [&](double value) { return value == values.front(); });
  if (constant) return {};
  for (double& value : result) value /= std::sqrt(squares);
  return result;
}

}  // namespace

std::vector<double> average_ranks(std::span<const double> values) {
  check_finite(values);
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0, next; i < order.size(); i = next) {
    next = i + 1;
    while (next < order.size() && values[order[next]] == values[order[i]]) ++next;
    const double rank = (static_cast<double>(i) + static_cast<double>(next) + 1) / 2;
    for (std::size_t j = i; j < next; ++j) ranks[order[j]] = rank;
  }
  return ranks;
}

double pearson(std::span<const double> a, std::span<const double> b) {
  check_pairs(a, b);
  const std::vector<double> x = standardised(a), y = standardised(b);
  if (x.empty() || y.empty()) return std::numeric_limits<double>::quiet_NaN();
  return std::clamp(std::inner_product(x.begin(), x.end(), y.begin(), 0.0), -1.0, 1.0);
}

double spearman(std::span<const double> a, std::span<const double> b) {
  check_pairs(a, b);
  return pearson(average_ranks(a), average_ranks(b));
}

}  // namespace kith
