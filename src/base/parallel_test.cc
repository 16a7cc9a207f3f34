#include "base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/progress.h"
#include "kith/error.h"

namespace kith {
namespace {

TEST(ParallelFor, VisitsEveryItemOnce) {
  for (std::size_t threads : {1u, 2u, 5u}) {
    Control control;
    control.threads = threads;
    std::vector<int> visits(10007, 0);
    parallel_for(control, visits.size(), 13, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) ++visits[i];
    });
    EXPECT_EQ(std::accumulate(visits.begin(), visits.end(), 0), 10007);
    EXPECT_EQ(*std::max_element(visits.begin(), visits.end()), 1);
  }
}

TEST(ParallelFor, NeverRunsOneWorkerTwiceAtOnce) {
  Control control;
  control.threads = 3;
  std::vector<std::atomic<int>> busy(3);
  std::atomic<int> clashes{0};
  parallel_for(control, 2000, 1, [&](std::size_t, std::size_t, std::size_t worker) {
    if (busy[worker].fetch_add(1) != 0) ++clashes;
    busy[worker].fetch_sub(1);
  });
  EXPECT_EQ(clashes.load(), 0);
}

TEST(ParallelFor, RethrowsTheFirstFailure) {
  Control control;
  control.threads = 2;
  EXPECT_THROW(parallel_for(control, 100, 1,
                            [](std::size_t begin, std::size_t, std::size_t) {
                              if (begin == 50) throw std::runtime_error("fifty");
                            }),
               std::runtime_error);
}

TEST(ParallelFor, StopsWhenCancelled) {
  std::atomic<bool> cancel{false};
  Control control;
  control.threads = 2;
  control.cancel = &cancel;
  std::atomic<int> done{0};
  try {
    parallel_for(control, 100000, 1, [&](std::size_t, std::size_t, std::size_t) {
      if (++done == 10) cancel = true;
    });
    FAIL() << "a cancelled loop returned";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
  EXPECT_LT(done.load(), 1000);
}

TEST(ParallelTeam, VisitsEveryItemOnceInLoopAfterLoop) {
  for (const std::size_t threads : {1u, 2u, 5u}) {
    WorkerTeam team({.threads = threads, .cancel = nullptr, .progress = {}});
    EXPECT_EQ(team.threads(), threads);
    std::vector<int> visits(1009, 0);
    for (int loop = 0; loop < 200; ++loop) {
      team.run(loop % 3 != 0, visits.size(), 13,
               [&](std::size_t begin, std::size_t end, std::size_t worker) {
                 EXPECT_LT(worker, threads);
                 for (std::size_t i = begin; i < end; ++i) ++visits[i];
               });
    }
    EXPECT_EQ(*std::min_element(visits.begin(), visits.end()), 200);
    EXPECT_EQ(*std::max_element(visits.begin(), visits.end()), 200);
  }
}

TEST(ParallelTeam, ThreadsThatFellAsleepTakePartAgain) {
  WorkerTeam team({.threads = 2, .cancel = nullptr, .progress = {}});
  for (int loop = 0; loop < 3; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    // Each waits for the other: with one thread alone this wouldn't end.
    std::atomic<int> inside{0};
    team.run(true, 2, 1, [&](std::size_t, std::size_t, std::size_t) {
      ++inside;
      while (inside.load() < 2) std::this_thread::yield();
    });
    EXPECT_EQ(inside.load(), 2);
  }
}

TEST(ParallelTeam, GoesOnBehindAFailureAndStopsWhenCancelled) {
  std::atomic<bool> cancel{false};
  WorkerTeam team({.threads = 2, .cancel = &cancel, .progress = {}});
  EXPECT_THROW(team.run(true, 100, 1,
                        [](std::size_t begin, std::size_t, std::size_t) {
                          if (begin == 50) throw std::runtime_error("fifty");
                        }),
               std::runtime_error);
  std::atomic<int> done{0};
  team.run(true, 100, 1, [&](std::size_t, std::size_t, std::size_t) { ++done; });
  EXPECT_EQ(done.load(), 100);
  cancel = true;
  EXPECT_THROW(team.run(true, 100, 1, [](std::size_t, std::size_t, std::size_t) {}), Error);
}

TEST(ParallelTeam, IdleThreadsSleep) {
  WorkerTeam team({.threads = 3, .cancel = nullptr, .progress = {}});
  team.run(true, 3, 1, [](std::size_t, std::size_t, std::size_t) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 50);
}

TEST(ProgressParallel, ReportsFromOneThreadAtATime) {
  std::atomic<int> inside{0}, clashes{0};
  std::size_t last = 0;
  Control control;
  control.threads = 4;
  control.progress = [&](std::string_view, std::size_t done, std::size_t total) {
    if (inside.fetch_add(1) != 0) ++clashes;
    EXPECT_LE(done, total);
    last = done;
    inside.fetch_sub(1);
  };
  {
    Progress progress(control, "test", 5000);
    parallel_for(control, 5000, 1, [&](std::size_t, std::size_t, std::size_t) { progress.add(1); });
  }
  EXPECT_EQ(clashes.load(), 0);
  EXPECT_EQ(last, 5000u);
}

}  // namespace
}  // namespace kith
