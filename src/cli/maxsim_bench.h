// MaxSim of queries with stored documents, held against the machine's multiply-adds and a plain
// loop.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/machine_peaks.h"

namespace kith::cli {

struct MaxSimTime {
  std::string codec;        // how the documents' vectors are stored
  std::size_t queries = 0;  // of 32 vectors, scored together
  double per_second = 0;    // floating-point operations: two a multiply-add
  double limit = 0;         // twice the machine's multiply-adds
  double plain = 0;         // the same as per_second, of a plain loop over float32
};

// Times documents of 80 vectors of dimension `dim`, `bytes` of float32 in all, on this thread
// alone, for about `seconds` of processor time a measurement.
std::vector<MaxSimTime> time_maxsim(std::size_t dim, std::size_t bytes, const MachinePeaks& peaks,
                                    double seconds);

}  // namespace kith::cli
