// Wall-clock and processor time since construction. Processor time counts every thread of the
// process, so work done in parallel is charged in full.
#pragma once

#include <chrono>
#include <ctime>

namespace kith::cli {

class Stopwatch {
 public:
  double wall_seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_).count();
  }
  double cpu_seconds() const { return process_cpu() - cpu_; }

 private:
  static double process_cpu() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }

  std::chrono::steady_clock::time_point wall_ = std::chrono::steady_clock::now();
  double cpu_ = process_cpu();
};

}  // namespace kith::cli
