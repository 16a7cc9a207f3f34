// Exact search and the matrix product under it, held against the machine's limits.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/machine_peaks.h"

namespace kith::cli {

struct ExactTime {
  std::string what;        // "one query", "batch of 1,000", "product"
  std::size_t rows = 0;    // that each query met
  double per_second = 0;   // bytes read for one query, else floating-point operations
  double limit = 0;        // the same of the machine: streaming, or twice the multiply-adds
  std::string limit_name;  // as in the table of peaks
};

// Times float32 vectors of dimension `dim` filling `bytes`, under l2, on this thread alone, for
// about `seconds` of processor time a measurement.
std::vector<ExactTime> time_exact(std::size_t dim, std::size_t bytes, const MachinePeaks& peaks,
                                  double seconds);

}  // namespace kith::cli
