// Time that costs are given in: other work on the machine hardly changes it.
#pragma once

#include <ctime>

namespace kith {

// Processor seconds of all threads of this process so far.
inline double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace kith
