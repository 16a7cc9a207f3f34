// What one core of this machine can do at best, measured with loops that do nothing else: what the
// kernels' rates are held against. Widths follow the instruction set in use (KITH_SIMD).
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace kith::cli {

// All per second; 0 where the instruction set in use has no such instruction.
struct MachinePeaks {
  double fma = 0;       // float multiply-adds
  double vnni = 0;      // int8 multiply-adds
  double bf16 = 0;      // bfloat16 multiply-adds
  double amx_int8 = 0;  // the same by tile registers
  double amx_bf16 = 0;
  double popcount = 0;      // bits
  double cache_load = 0;    // bytes, from the first-level cache
  double stream = 0;        // bytes, read in order from memory
  double random_huge = 0;   // 64-byte lines, read in random order, on huge pages
  double random_small = 0;  // the same on 4 KiB pages
};

// `memory` is what the streaming and random reads go over: larger than the last cache.
MachinePeaks measure_peaks(std::span<const std::byte> memory);

// Processor seconds of this thread that one run of `work` takes: the median of `rounds` rounds of
// about `seconds` each, after one that warms up.
double seconds_per_run(const std::function<void()>& work, double seconds, int rounds);

}  // namespace kith::cli
