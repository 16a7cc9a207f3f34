// The products under an encoder's layers, held against the machine's multiply-add peaks.
#pragma once

#include <cstddef>
#include <vector>

#include "cli/machine_peaks.h"
#include "kith/precision.h"

namespace kith::cli {

struct DenseTime {
  Precision precision = Precision::f32;
  std::size_t inputs = 0, outputs = 0, tokens = 0;
  double per_second = 0;  // operations: two a multiply-add
  double limit = 0;       // twice the fastest multiply-adds of that precision
};

// Times the shapes of small and base encoders in each precision on this thread alone, rounding and
// packing of the tokens included, for about `seconds` of processor time a measurement.
std::vector<DenseTime> time_dense(const MachinePeaks& peaks, double seconds);

}  // namespace kith::cli
