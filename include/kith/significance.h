// How sure a measured quality is, and whether one system is better than another: the bootstrap
// (Efron, "Bootstrap methods: another look at the jackknife", 1979) and the paired permutation test
// (Fisher, 1935; Smucker, Allan and Carterette, 2007, for retrieval). What is drawn again are units
// (queries, test texts, pairs), the same ones for all systems. The same seed gives the same result
// for any number of threads. Over tasks: Wilcoxon's test with Holm's correction. Part of
// libkith-encode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kith/control.h"

namespace kith {

struct ResampleOptions {
  std::size_t resamples = 1000;
  double level = 0.95;  // of the interval, above 0 and below 1
  std::uint64_t seed = 1;
  Control control = {};
};

struct Interval {
  double low = 0, high = 0;
};

// A quality of the units with these numbers, drawn with repeats; may be called from several threads
// at once.
using Statistic = std::function<double(std::span<const std::uint32_t> units)>;

// The mean of the values of those units. Keeps a copy.
Statistic mean_of(std::vector<double> values);

// Percentiles of the statistic over resamples of `units` units; resamples whose statistic is NaN
// are left out, and with none left both ends are NaN. Throws invalid_argument without units or
// resamples, or for a level out of range; Error{cancelled}.
Interval bootstrap_interval(std::size_t units, const Statistic& statistic,
                            const ResampleOptions& options = {});

// System a less system b on the same units.
struct PairedDifference {
  double difference = 0;
  Interval interval;
  // Two-sided: how often chance alone makes so large a difference. At least 1 / (resamples + 1).
  double p_value = 1;
};

// For means of values, one a unit: the interval by bootstrap, p by exchanging the two systems'
// values at random units (all 2^n exchanges where those are no more than the resamples). Throws
// invalid_argument unless both have as many values.
PairedDifference compare_means(std::span<const double> a, std::span<const double> b,
                               const ResampleOptions& options = {});

// For any statistic, by the bootstrap alone: p is twice the share of resamples in which the
// difference has the other sign or is 0.
PairedDifference compare(std::size_t units, const Statistic& a, const Statistic& b,
                         const ResampleOptions& options = {});

// ---- Over tasks ---------------------------------------------------------------------------------

struct SignedRanks {
  std::size_t pairs = 0;  // that differ
  double positive = 0;    // W+: ranks of |a - b| where a is larger; equal ones share their mean
  // Two-sided. NaN where fewer than six pairs differ, of which nothing can be said at 0.05.
  double p_value = 1;
};

// Whether paired values differ in one direction (Wilcoxon, "Individual comparisons by ranking
// methods", 1945): exact for up to 25 differing pairs, ties included, else by the normal
// distribution with corrections for ties and continuity. Throws invalid_argument unless both have
// as many values.
SignedRanks wilcoxon(std::span<const double> a, std::span<const double> b);

// p values of several tests such that one below 0.05 by chance alone is as rare as one test's would
// be (Holm, "A simple sequentially rejective multiple test procedure", 1979). NaN stays and counts
// as no test.
std::vector<double> holm(std::span<const double> p_values);

}  // namespace kith
