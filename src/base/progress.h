// Counts finished work from many threads and reports it through Control::progress a few times a
// second, from one thread at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

#include "kith/control.h"

namespace kith {

// The same threads and cancellation, for steps of a stage that reports by itself.
inline Control without_progress(const Control& control) {
  return {.threads = control.threads, .cancel = control.cancel, .progress = {}};
}

class Progress {
 public:
  Progress(const Control& control, std::string stage, std::size_t total)
      : control_(control), stage_(std::move(stage)), total_(total) {
    report(0);
  }
  ~Progress() { report(done_.load()); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(std::size_t items) {
    const std::size_t done = done_.fetch_add(items, std::memory_order_relaxed) + items;
    if (!control_.progress) return;
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    auto next = next_report_.load(std::memory_order_relaxed);
    constexpr std::chrono::steady_clock::duration kInterval = std::chrono::milliseconds(200);
    if (now >= next && next_report_.compare_exchange_strong(next, now + kInterval.count())) {
      report(done);
    }
  }

 private:
  void report(std::size_t done) {
    if (!control_.progress) return;
    std::lock_guard lock(mutex_);
    control_.progress(stage_, done, total_);
  }

  const Control& control_;
  const std::string stage_;
  const std::size_t total_;
  std::atomic<std::size_t> done_{0};
  std::atomic<std::chrono::steady_clock::rep> next_report_{0};
  std::mutex mutex_;
};

}  // namespace kith
