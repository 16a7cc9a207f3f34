// The products under an encoder's layers, held against the machine's multiply-add peak.
#pragma once

#include <cstddef>
#include <vector>

#include "cli/machine_peaks.h"

namespace kith::cli {

struct DenseTime {
  std::size_t inputs = 0, outputs = 0, tokens = 0;
  double per_second = 0;  // floating-point operations
  double limit = 0;       // twice the multiply-adds
};

// Times the shapes of small and base encoders on this thread alone, packing of the tokens included,
// for about `seconds` of processor time a measurement.
std::vector<DenseTime> time_dense(const MachinePeaks& peaks, double seconds);

}  // namespace kith::cli
