// Correlation of paired values, as scipy.stats computes it. Pure functions: any thread may call
// them. All throw invalid_argument when the two differ in size or a value isn't finite. Part of
// libkith-encode.
#pragma once

#include <span>
#include <vector>

namespace kith {

// Ranks from 1; equal values share the mean of their ranks. O(n log n).
std::vector<double> average_ranks(std::span<const double> values);

// In [-1, 1]; NaN where one side is constant or there are fewer than two pairs.
double pearson(std::span<const double> a, std::span<const double> b);

// Pearson of the ranks (Spearman, 1904).
double spearman(std::span<const double> a, std::span<const double> b);

}  // namespace kith
