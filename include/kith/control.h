// How long-running work is steered from outside: how many threads it may use, where it reports
// progress, and a flag that stops it. Every option struct of kith carries one.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string_view>

namespace kith {

struct Control {
  // Threads the call may use; 0 means one per processor this process may run on.
  std::size_t threads = 0;

  // When set, polled often (at least every few milliseconds of work); raising it makes the call
  // throw Error{cancelled} with nothing changed. A signal handler may raise it.
  const std::atomic<bool>* cancel = nullptr;

  // Called with the stage's name and how much of it is done; never from two threads at once, at
  // most a few times a second. Must not throw.
  std::function<void(std::string_view stage, std::size_t done, std::size_t total)> progress;
};

}  // namespace kith
