#include "base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#ifndef KITH_PARALLEL_STD
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>
#endif

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/progress.h"
#include "kith/error.h"

namespace kith {

std::size_t available_threads() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

std::size_t thread_count(const Control& control) {
  return control.threads != 0 ? control.threads : available_threads();
}

void throw_if_cancelled(const Control& control) {
  if (control.cancel != nullptr && control.cancel->load(std::memory_order_relaxed)) {
    throw Error(ErrorCode::cancelled, "cancelled: nothing was changed");
  }
}

namespace {

// Pieces are handed out by a counter: `workers` loops each take the next piece until none is left.
// Only the loops are tasks, so a worker's number belongs to one running loop.
class PieceQueue {
 public:
  PieceQueue(const Control& control, std::size_t count, std::size_t grain,
             const std::function<void(std::size_t, std::size_t, std::size_t)>& body)
      : control_(control), count_(count), grain_(std::max<std::size_t>(grain, 1)), body_(body) {}

  void run(std::size_t worker) noexcept {
    try {
      for (;;) {
        const std::size_t begin = next_.fetch_add(grain_, std::memory_order_relaxed);
        if (begin >= count_ || failed_.load(std::memory_order_relaxed)) return;
        throw_if_cancelled(control_);
        body_(begin, std::min(count_, begin + grain_), worker);
      }
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      failed_.store(true, std::memory_order_relaxed);
    }
  }

  void rethrow() {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  const Control& control_;
  const std::size_t count_, grain_;
  const std::function<void(std::size_t, std::size_t, std::size_t)>& body_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::exception_ptr error_;
};

}  // namespace

void parallel_for(const Control& control, std::size_t count, std::size_t grain,
                  const std::function<void(std::size_t, std::size_t, std::size_t)>& body) {
  if (count == 0) return;
  grain = std::max<std::size_t>(grain, 1);
  const std::size_t workers = std::min(thread_count(control), (count + grain - 1) / grain);
  PieceQueue queue(control, count, grain, body);
  if (workers <= 1) {
    queue.run(0);
    queue.rethrow();
    return;
  }
#ifdef KITH_PARALLEL_STD
  std::vector<std::thread> threads;
  for (std::size_t worker = 1; worker < workers; ++worker) {
    threads.emplace_back([&queue, worker] { queue.run(worker); });
  }
  queue.run(0);
  for (std::thread& thread : threads) thread.join();
#else
  // oneTBB never starts more threads than processors unless told; asked for more, obey.
  tbb::global_control allow(tbb::global_control::max_allowed_parallelism,
                            std::max(workers, available_threads()));
  tbb::task_arena arena(static_cast<int>(workers));
  arena.execute([&] {
    tbb::parallel_for(
        std::size_t{0}, workers, [&queue](std::size_t worker) { queue.run(worker); },
        tbb::simple_partitioner());
  });
#endif
  queue.rethrow();
}

// ---- Teams --------------------------------------------------------------------------------------

namespace {

// How long a thread looks for the next loop before it sleeps: longer than one thread works between
// two loops of a small transformer's layer, and than it takes to wake a thread.
constexpr std::chrono::microseconds kTeamPatience{50};

void pause_briefly() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

// Returns when `value` is no longer `old`.
template <class T>
void wait_while(const std::atomic<T>& value, T old) {
  const auto end = std::chrono::steady_clock::now() + kTeamPatience;
  do {
    if (value.load() != old) return;
    pause_briefly();
  } while (std::chrono::steady_clock::now() < end);
  value.wait(old);
}

}  // namespace

// The other threads. A loop is handed out by its queue; one that comes late finds nothing left.
class WorkerTeam::Crew {
 public:
  explicit Crew(std::size_t threads)
#ifndef KITH_PARALLEL_STD
      : allow_(tbb::global_control::max_allowed_parallelism,
               std::max(threads, available_threads())),
        arena_(static_cast<int>(threads))
#endif
  {
#ifdef KITH_PARALLEL_STD
    for (std::size_t worker = 1; worker < threads; ++worker) {
      members_.emplace_back([this, worker] { work(worker); });
    }
#else
    arena_.execute([&] {
      for (std::size_t worker = 1; worker < threads; ++worker) {
        members_.run([this, worker] { work(worker); });
      }
    });
#endif
  }

  ~Crew() {
    ended_.store(true);
    ring();
#ifdef KITH_PARALLEL_STD
    for (std::thread& member : members_) member.join();
#else
    arena_.execute([&] { members_.wait(); });
#endif
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void run(PieceQueue& queue) {
    queue_.store(&queue);
    ring();
    queue.run(0);
    queue_.store(nullptr);
    // A member counts itself busy before it looks for a queue: none comes to this one from now on.
    for (int busy = busy_.load(); busy != 0; busy = busy_.load()) wait_while(busy_, busy);
  }

 private:
  void ring() {
    loops_.fetch_add(1);
    loops_.notify_all();
  }

  void work(std::size_t worker) {
    for (int seen = 0; !ended_.load();) {
      wait_while(loops_, seen);
      seen = loops_.load();
      busy_.fetch_add(1);
      if (PieceQueue* queue = queue_.load()) queue->run(worker);
      busy_.fetch_sub(1);
      busy_.notify_all();
    }
  }

  std::atomic<int> loops_{0}, busy_{0};
  std::atomic<bool> ended_{false};
  std::atomic<PieceQueue*> queue_{nullptr};
#ifdef KITH_PARALLEL_STD
  std::vector<std::thread> members_;
#else
  tbb::global_control allow_;
  tbb::task_arena arena_;
  tbb::task_group members_;
#endif
};

WorkerTeam::WorkerTeam(const Control& control)
    : control_(without_progress(control)), threads_(thread_count(control)) {}
WorkerTeam::~WorkerTeam() = default;

void WorkerTeam::run(bool worth, std::size_t count, std::size_t grain,
                     const std::function<void(std::size_t, std::size_t, std::size_t)>& body) {
  PieceQueue queue(control_, count, grain, body);
  if (!worth || threads_ == 1 || count <= grain) {
    queue.run(0);
  } else {
    if (crew_ == nullptr) crew_ = std::make_unique<Crew>(threads_);
    crew_->run(queue);
  }
  queue.rethrow();
}

}  // namespace kith
