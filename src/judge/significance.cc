#include "kith/significance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "base/parallel.h"
#include "base/random.h"
#include "kith/error.h"

namespace kith {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kPiece = 8;  // resamples a thread takes at a time

void check(std::size_t units, const ResampleOptions& options) {
  if (units == 0) throw Error(ErrorCode::invalid_argument, "no units to resample");
  if (options.resamples == 0) {
    throw Error(ErrorCode::invalid_argument, "0 resamples, expected 1 or more");
  }
  if (!(options.level > 0 && options.level < 1)) {
    throw Error(ErrorCode::invalid_argument,
                "level " + std::to_string(options.level) + ", expected a number between 0 and 1");
  }
}

// value(units) of every resample.
template <class Value>
std::vector<double> resample(std::size_t units, const ResampleOptions& options,
                             const Value& value) {
  check(units, options);
  std::vector<double> values(options.resamples);
  parallel_for(options.control, options.resamples, kPiece,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 std::vector<std::uint32_t> drawn(units);
                 for (std::size_t r = begin; r < end; ++r) {
                   Random random(options.seed, r);
                   for (std::uint32_t& unit : drawn) {
                     unit = static_cast<std::uint32_t>(random.below(units));
                   }
                   values[r] = value(std::span<const std::uint32_t>(drawn));
                 }
               });
  return values;
}

// Between the two order statistics about the position, as numpy's percentile does.
double quantile(const std::vector<double>& ascending, double share) {
  const double place = share * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  const double weight = place - static_cast<double>(below);
  return ascending[below] * (1 - weight) + ascending[above] * weight;
}

Interval percentiles(std::vector<double> values, double level) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return {kNothing, kNothing};
  std::sort(values.begin(), values.end());
  return {quantile(values, (1 - level) / 2), quantile(values, (1 + level) / 2)};
}

std::vector<std::uint32_t> all_units(std::size_t units) {
  std::vector<std::uint32_t> all(units);
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

// Sums of the differences with signs from the bits of `signs`.
double signed_sum(std::span<const double> differences, std::uint64_t signs) {
  double sum = 0;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    sum += (signs >> i & 1) != 0 ? -differences[i] : differences[i];
  }
  return sum;
}

// Sums within this of the observed one count as equal: they are the same numbers in another order.
double tolerance(std::span<const double> differences) {
  double total = 0;
  for (const double difference : differences) total += std::abs(difference);
  return 1e-12 * total;
}

double exact_p(std::span<const double> differences) {
  const double observed = std::abs(signed_sum(differences, 0)) - tolerance(differences);
  const std::uint64_t all = std::uint64_t{1} << differences.size();
  std::uint64_t extreme = 0;
  for (std::uint64_t signs = 0; signs < all; ++signs) {
    extreme += std::abs(signed_sum(differences, signs)) >= observed ? 1 : 0;
  }
  return static_cast<double>(extreme) / static_cast<double>(all);
}

double random_sum(std::span<const double> differences, Random& random) {
  constexpr std::size_t kBits = 64;
  double sum = 0;
  for (std::size_t first = 0; first < differences.size(); first += kBits) {
    const std::size_t count = std::min(kBits, differences.size() - first);
    sum += signed_sum(differences.subspan(first, count), random.next());
  }
  return sum;
}

double permutation_p(std::span<const double> differences, const ResampleOptions& options) {
  constexpr std::size_t kMostExact = 30;
  if (differences.size() <= kMostExact &&
      (std::uint64_t{1} << differences.size()) <= options.resamples) {
    return exact_p(differences);
  }
  const double observed = std::abs(std::accumulate(differences.begin(), differences.end(), 0.0)) -
                          tolerance(differences);
  std::vector<std::uint8_t> extreme(options.resamples);
  parallel_for(options.control, options.resamples, kPiece,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 for (std::size_t r = begin; r < end; ++r) {
                   Random random(options.seed, r);
                   extreme[r] = std::abs(random_sum(differences, random)) >= observed ? 1 : 0;
                 }
               });
  const auto count = std::accumulate(extreme.begin(), extreme.end(), std::size_t{0});
  return static_cast<double>(count + 1) / static_cast<double>(options.resamples + 1);
}

}  // namespace

Statistic mean_of(std::vector<double> values) {
  return [values = std::move(values)](std::span<const std::uint32_t> units) {
    double sum = 0;
    for (const std::uint32_t unit : units) sum += values[unit];
    return sum / static_cast<double>(units.size());
  };
}

Interval bootstrap_interval(std::size_t units, const Statistic& statistic,
                            const ResampleOptions& options) {
  return percentiles(resample(units, options, statistic), options.level);
}

PairedDifference compare_means(std::span<const double> a, std::span<const double> b,
                               const ResampleOptions& options) {
  if (a.size() != b.size()) {
    throw Error(ErrorCode::invalid_argument, std::to_string(a.size()) + " values beside " +
                                                 std::to_string(b.size()) +
                                                 ", expected the same units of both");
  }
  check(a.size(), options);
  std::vector<double> differences(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) differences[i] = a[i] - b[i];
  PairedDifference result;
  result.difference = std::accumulate(differences.begin(), differences.end(), 0.0) /
                      static_cast<double>(differences.size());
  result.p_value = permutation_p(differences, options);
  result.interval = bootstrap_interval(a.size(), mean_of(std::move(differences)), options);
  return result;
}

PairedDifference compare(std::size_t units, const Statistic& a, const Statistic& b,
                         const ResampleOptions& options) {
  std::vector<double> values = resample(
      units, options, [&](std::span<const std::uint32_t> drawn) { return a(drawn) - b(drawn); });
  PairedDifference result;
  const std::vector<std::uint32_t> all = all_units(units);
  result.difference = a(all) - b(all);
  const auto resamples = static_cast<double>(values.size());
  double below = 1, above = 1;  // the sample itself is one of them
  for (const double value : values) {
    below += value <= 0 ? 1 : 0;
    above += value >= 0 ? 1 : 0;
  }
  result.p_value = std::min(1.0, 2 * std::min(below, above) / (resamples + 1));
  result.interval = percentiles(std::move(values), options.level);
  return result;
}

}  // namespace kith
