#include "papers/common/estimate.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "kith/error.h"

namespace kith::papers {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

// The 0.975 quantile of Student's t for 1, 2, 3 ... degrees of freedom.
constexpr double kStudent[] = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060,
                               2.2622,  2.2281, 2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199,
                               2.1098,  2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639,
                               2.0595,  2.0555, 2.0518, 2.0484, 2.0452, 2.0423};

// Beyond the table, two terms of its expansion about the normal quantile z: right to 4 digits.
double student(std::size_t degrees) {
  if (degrees <= std::size(kStudent)) return kStudent[degrees - 1];
  constexpr double kNormal = 1.959964;
  const double cube = kNormal * kNormal * kNormal;
  return kNormal + (cube + kNormal) / (4 * static_cast<double>(degrees));
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return kNothing;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double found = std::sqrt(squares / static_cast<double>(values.size() - 1));
  constexpr double kRounding = 1e-12;  // of values that are the same but for their last bits
  return found > kRounding * std::abs(mean) ? found : 0;
}

Estimate estimate(std::span<const double> values) {
  for (const double value : values) {
    if (!std::isfinite(value)) {
      throw Error(ErrorCode::invalid_argument,
                  "a measurement is " + std::to_string(value) + ", expected a finite number");
    }
  }
  Estimate result{kNothing, kNothing, kNothing, values.size()};
  if (values.empty()) return result;
  result.mean = mean_of(values);
  if (values.size() == 1) return result;
  const double half = student(values.size() - 1) * standard_deviation(values) /
                      std::sqrt(static_cast<double>(values.size()));
  result.low = result.mean - half;
  result.high = result.mean + half;
  return result;
}

Estimate paired_difference(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) {
    throw Error(ErrorCode::invalid_argument, std::to_string(a.size()) + " measurements against " +
                                                 std::to_string(b.size()) +
                                                 ", expected pairs from the same seeds");
  }
  std::vector<double> differences(a.size());
  std::transform(a.begin(), a.end(), b.begin(), differences.begin(), std::minus<>());
  return estimate(differences);
}

}  // namespace kith::papers
