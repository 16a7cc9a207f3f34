// How fast an index answers single queries: rates over processor and wall time, and latencies.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "kith/index.h"

namespace kith::cli {

struct Rates {
  double qps_cpu = 0;   // queries a second of processor time, summed over threads
  double qps_wall = 0;  // queries a second of wall time, all threads together
  double p50_us = 0;    // latency of one query, microseconds
  double p99_us = 0;
};

// Answers one query, on the caller's thread alone.
using AskOne = std::function<void(std::size_t query)>;

// Asks `count` single queries, of `queries` in a fixed random order, from `control.threads` callers
// at once. Times each query by the wall clock. Nothing else should run in the process meanwhile.
Rates measure(const AskOne& ask, std::size_t queries, std::size_t count, const Control& control);
Rates measure(const Index& index, const AnyMatrixView& queries, std::size_t k, std::size_t beam,
              std::size_t count, const Control& control);

// Of an even number of values the mean of the middle two; there must be one.
double median(std::vector<double> values);

// The median of each figure over several rounds.
Rates median(const std::vector<Rates>& rounds);

// How many single queries take about `seconds` on one thread, judged by a short trial; at least
// one.
std::size_t queries_within(double seconds, const AskOne& ask, std::size_t queries,
                           const Control& control);
std::size_t queries_within(double seconds, const Index& index, const AnyMatrixView& queries,
                           std::size_t k, std::size_t beam, const Control& control);

}  // namespace kith::cli
