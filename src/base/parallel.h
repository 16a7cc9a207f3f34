// Parallel loops on the threads a call was given (Control::threads): oneTBB arenas, or std::thread
// where KITH_PARALLEL_STD is defined (ThreadSanitizer sees false races inside Debian's oneTBB).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "kith/control.h"

namespace kith {

// Processors this process may run on.
std::size_t available_threads();

// `control.threads`, or all available ones when it is 0.
std::size_t thread_count(const Control& control);

// Runs body(begin, end, worker) over pieces of [0, count) of at most `grain` items. `worker` is
// below thread_count(control) and never used by two running pieces at once, so it may index
// per-thread scratch. Which worker gets which piece is not deterministic: results must not depend
// on it. Checks control.cancel before every piece; the first exception (Error{cancelled} included)
// is rethrown when all running pieces have ended.
void parallel_for(const Control& control, std::size_t count, std::size_t grain,
                  const std::function<void(std::size_t, std::size_t, std::size_t)>& body);

// Threads for one loop after another, where to wake them for each would cost as much as its work:
// between loops they look for the next one for some microseconds before they sleep. For one thread.
class WorkerTeam {
 public:
  // Takes no thread before a loop is shared.
  explicit WorkerTeam(const Control& control);
  ~WorkerTeam();
  WorkerTeam(const WorkerTeam&) = delete;
  WorkerTeam& operator=(const WorkerTeam&) = delete;

  std::size_t threads() const { return threads_; }
  // Of `count` items a few pieces a thread, so that all end together; one where they aren't shared.
  std::size_t grain(bool worth, std::size_t count) const {
    constexpr std::size_t kPieces = 4;
    return worth && threads_ > 1 ? (count + kPieces * threads_ - 1) / (kPieces * threads_) : count;
  }

  // As parallel_for; the caller's thread does all where the work isn't `worth` sharing.
  void run(bool worth, std::size_t count, std::size_t grain,
           const std::function<void(std::size_t, std::size_t, std::size_t)>& body);

 private:
  class Crew;
  const Control control_;
  const std::size_t threads_;
  std::unique_ptr<Crew> crew_;
};

// Throws Error{cancelled} when the flag is raised.
void throw_if_cancelled(const Control& control);

}  // namespace kith
