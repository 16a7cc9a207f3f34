// Systems that are timed by turns in one process must not be timed beside each other's threads.
#pragma once

#include <chrono>
#include <thread>

#include "cli/stopwatch.h"

namespace kith::cli {

// A library's threads may look for work a while after its last call, onnxruntime's and OpenBLAS's
// for some tens of milliseconds, and cost what is timed next: waits until this process's threads
// are idle, for two seconds at most.
inline void wait_until_idle() {
  constexpr std::chrono::milliseconds kLook{5};
  constexpr double kIdle = 0.05, kMostSeconds = 2;  // of a processor; of all looks
  const Stopwatch whole;
  while (whole.wall_seconds() < kMostSeconds) {
    const Stopwatch look;
    std::this_thread::sleep_for(kLook);
    if (look.cpu_seconds() < kIdle * look.wall_seconds()) return;
  }
}

}  // namespace kith::cli
