#include "cli/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/parallel.h"
#include "base/random.h"
#include "cli/stopwatch.h"

namespace kith::cli {
namespace {

// The value below which `part` of the values lie.
double percentile(std::vector<float>& values, double part) {
  if (values.empty()) return 0;
  const auto last = static_cast<double>(values.size() - 1);
  const auto rank = static_cast<std::ptrdiff_t>(std::llround(part * last));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

AskOne ask_index(const Index& index, const AnyMatrixView& queries, std::size_t k, std::size_t beam,
                 const Control& control) {
  SearchOptions options{beam, 0, control};
  options.control.threads = 1;
  options.control.progress = nullptr;
  return [&index, queries, k, options](std::size_t query) {
    index.search(queries.slice(query, 1), k, options);
  };
}

double median_of(const std::vector<Rates>& rounds, double Rates::*figure) {
  std::vector<double> values;
  for (const Rates& round : rounds) values.push_back(round.*figure);
  return median(std::move(values));
}

}  // namespace

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Rates measure(const AskOne& ask, std::size_t queries, std::size_t count, const Control& control) {
  constexpr std::size_t kGrain = 8;  // queries a caller takes at a time
  // Files are often in an order, and the first of them easier than the rest.
  constexpr std::uint64_t kSeed = 1;
  const std::vector<Id> order = random_permutation(queries, kSeed);
  std::vector<float> latencies(count);
  const Stopwatch watch;
  parallel_for(control, count, kGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto start = std::chrono::steady_clock::now();
      ask(order[i % order.size()]);
      const std::chrono::duration<float, std::micro> taken =
          std::chrono::steady_clock::now() - start;
      latencies[i] = taken.count();
    }
  });
  const double wall = watch.wall_seconds(), cpu = watch.cpu_seconds();
  const auto asked = static_cast<double>(count);
  return {asked / cpu, asked / wall, percentile(latencies, 0.50), percentile(latencies, 0.99)};
}

Rates measure(const Index& index, const AnyMatrixView& queries, std::size_t k, std::size_t beam,
              std::size_t count, const Control& control) {
  return measure(ask_index(index, queries, k, beam, control), queries.rows(), count, control);
}

Rates median(const std::vector<Rates>& rounds) {
  return {median_of(rounds, &Rates::qps_cpu), median_of(rounds, &Rates::qps_wall),
          median_of(rounds, &Rates::p50_us), median_of(rounds, &Rates::p99_us)};
}

std::size_t queries_within(double seconds, const AskOne& ask, std::size_t queries,
                           const Control& control) {
  Control one = control;
  one.threads = 1;
  // Double the trial until it takes a tenth of the time asked for.
  for (std::size_t trial = 1;; trial *= 2) {
    const Rates rates = measure(ask, queries, trial, one);
    const double each = 1 / rates.qps_wall;
    if (each * static_cast<double>(trial) >= seconds / 10) {
      return std::max<std::size_t>(1, static_cast<std::size_t>(seconds / each));
    }
  }
}

std::size_t queries_within(double seconds, const Index& index, const AnyMatrixView& queries,
                           std::size_t k, std::size_t beam, const Control& control) {
  return queries_within(seconds, ask_index(index, queries, k, beam, control), queries.rows(),
                        control);
}

}  // namespace kith::cli
