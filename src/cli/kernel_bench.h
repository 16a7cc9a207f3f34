// The distance kernels, timed one by one in the forms that an index calls them.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cli/machine_peaks.h"
#include "simd/tables.h"

namespace kith::cli {

enum class Form { many, gather };

// One kernel of some table, bound to its query: scores n rows.
struct Kernel {
  std::string name;
  double bytes_per_dim;        // of a row's codes
  std::size_t extra_bytes;     // after the codes
  double MachinePeaks::*unit;  // the instruction that bounds it, counted per dimension
  // rows, stride, ids (null: the first n), n, dim, out
  std::function<void(const simd::KernelTable&, const void*, std::size_t, const std::uint32_t*,
                     std::size_t, std::size_t, float*)>
      score;

  std::size_t row_bytes(std::size_t dim) const;
};

std::vector<Kernel> all_kernels();

struct KernelTime {
  std::size_t stride = 0;
  double seconds = 0;  // a vector
  double bound = 0;    // seconds a vector that the tightest of the machine's limits leaves
  std::string limit;   // which one
};

// `in_cache`: over rows that fit the first-level cache; otherwise over all of `memory`, gathered
// rows being prefetched one batch ahead as the graph search does.
KernelTime time_kernel(const Kernel& kernel, const simd::KernelTable& table, std::size_t dim,
                       Form form, bool in_cache, std::span<const std::byte> memory,
                       const MachinePeaks& peaks, double seconds);

// Seconds of the plain loop over floats that a newcomer would write, a vector in cache.
double time_naive(std::size_t dim, std::span<const std::byte> memory);

}  // namespace kith::cli
