// A mean over seeds with its interval. Seeds are few, so intervals are Student's (Student, "The
// probable error of a mean", 1908), not normal ones.
#pragma once

#include <cstddef>
#include <span>

namespace kith::papers {

// NaN where there is nothing: all three without values, the ends with a single one.
struct Estimate {
  double mean, low, high;  // [low, high]: 95 %
  std::size_t count;       // values it is made of
};

// Throws invalid_argument when a value isn't finite.
Estimate estimate(std::span<const double> values);

// Of a[i] - b[i]: what both share (a seed's sample of the data) cancels. Throws invalid_argument
// unless there are as many of one as of the other.
Estimate paired_difference(std::span<const double> a, std::span<const double> b);

// The standard deviation of a sample (dividing by n - 1); NaN for fewer than two values.
double standard_deviation(std::span<const double> values);

}  // namespace kith::papers
