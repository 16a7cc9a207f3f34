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

void expect_as_many(std::span<const double> a, std::span<const double> b) {
  if (a.size() == b.size()) return;
  throw Error(ErrorCode::invalid_argument, std::to_string(a.size()) + " values beside " +
                                               std::to_string(b.size()) +
                                               ", expected the same units of both");
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

// ---- Wilcoxon -----------------------------------------------------------------------------------

constexpr std::size_t kLeastPairs = 6, kMostExactPairs = 25;

// Twice the rank of each value among ascending ones; equal values share the mean of their ranks, so
// that twice it is whole.
std::vector<std::size_t> double_ranks(const std::vector<double>& ascending) {
  std::vector<std::size_t> ranks(ascending.size());
  for (std::size_t begin = 0; begin < ascending.size();) {
    const auto end = static_cast<std::size_t>(
        std::upper_bound(ascending.begin(), ascending.end(), ascending[begin]) - ascending.begin());
    std::fill(ranks.begin() + static_cast<std::ptrdiff_t>(begin),
              ranks.begin() + static_cast<std::ptrdiff_t>(end), begin + 1 + end);
    begin = end;
  }
  return ranks;
}

// How many of the 2^n choices of ranks have each sum.
std::vector<double> choices_by_sum(const std::vector<std::size_t>& ranks) {
  std::vector<double> choices = {1};
  for (const std::size_t rank : ranks) {
    choices.resize(choices.size() + rank, 0);
    for (std::size_t sum = choices.size(); sum-- > rank;) choices[sum] += choices[sum - rank];
  }
  return choices;
}

double exact_rank_p(const std::vector<std::size_t>& ranks, std::size_t positive) {
  const std::vector<double> choices = choices_by_sum(ranks);
  const std::size_t less = std::min(positive, choices.size() - 1 - positive);  // it is symmetric
  const double tail = std::accumulate(choices.begin(),
                                      choices.begin() + static_cast<std::ptrdiff_t>(less) + 1, 0.0);
  return std::min(1.0, std::ldexp(2 * tail, -static_cast<int>(ranks.size())));
}

double normal_rank_p(const std::vector<std::size_t>& ranks, std::size_t positive) {
  double sum = 0, squares = 0;  // ties lessen the squares
  for (const std::size_t rank : ranks) {
    sum += static_cast<double>(rank);
    squares += static_cast<double>(rank) * static_cast<double>(rank);
  }
  constexpr double kHalfRank = 1;  // ranks here are doubled
  const double off = std::max(0.0, std::abs(static_cast<double>(positive) - sum / 2) - kHalfRank);
  return std::erfc(off / std::sqrt(squares / 4) / std::sqrt(2.0));
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
  expect_as_many(a, b);
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

SignedRanks wilcoxon(std::span<const double> a, std::span<const double> b) {
  expect_as_many(a, b);
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) differences.push_back(a[i] - b[i]);
  }
  std::sort(differences.begin(), differences.end(),
            [](double x, double y) { return std::abs(x) < std::abs(y); });
  std::vector<double> sizes;
  for (const double difference : differences) sizes.push_back(std::abs(difference));
  const std::vector<std::size_t> ranks = double_ranks(sizes);
  std::size_t positive = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) positive += differences[i] > 0 ? ranks[i] : 0;
  SignedRanks result;
  result.pairs = ranks.size();
  result.positive = static_cast<double>(positive) / 2;
  if (result.pairs < kLeastPairs) {
    result.p_value = kNothing;
  } else {
    result.p_value = result.pairs <= kMostExactPairs ? exact_rank_p(ranks, positive)
                                                     : normal_rank_p(ranks, positive);
  }
  return result;
}

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p_values.size(); ++i) {
    if (!std::isnan(p_values[i])) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> corrected(p_values.begin(), p_values.end());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, static_cast<double>(order.size() - i) * p_values[order[i]]);
    corrected[order[i]] = std::min(1.0, largest);
  }
  return corrected;
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
