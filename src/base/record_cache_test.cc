#include "base/record_cache.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>
#include <vector>

#include "base/random.h"

namespace kith {
namespace {

std::vector<std::byte> record(Id id, std::size_t bytes) {
  std::vector<std::byte> record(bytes);
  Random random(id);
  for (std::byte& byte : record) byte = static_cast<std::byte>(random.below(256));
  return record;
}

TEST(RecordCache, GivesBackWhatItHoldsAndNothingElse) {
  constexpr std::size_t kBytes = 100;
  RecordCache cache(20 * kBytes, kBytes);
  std::vector<std::byte> out(kBytes);
  std::size_t held = 0;
  for (Id id = 0; id < 1000; ++id) {
    EXPECT_FALSE(cache.get(id, out.data()));
    cache.put(id, record(id, kBytes).data());
  }
  for (Id id = 0; id < 1000; ++id) {
    if (!cache.get(id, out.data())) continue;
    EXPECT_EQ(out, record(id, kBytes));
    ++held;
  }
  EXPECT_GE(held, 8u);
  EXPECT_LE(held, 20u);
}

TEST(RecordCache, KeepsWhatIsAskedForAgain) {
  RecordCache cache(std::size_t{1} << 16, 64);
  std::vector<std::byte> out(64);
  cache.put(7, record(7, 64).data());
  for (Id id = 1000; id < 50000; ++id) {
    EXPECT_TRUE(cache.get(7, out.data())) << id;
    cache.put(id, record(id, 64).data());
  }
  EXPECT_EQ(out, record(7, 64));
}

TEST(RecordCache, HoldsNothingWithoutRoom) {
  RecordCache cache(0, 64);
  std::vector<std::byte> out(64);
  cache.put(7, out.data());
  EXPECT_FALSE(cache.get(7, out.data()));
}

TEST(RecordCache, IsRightForThreadsAtOnce) {
  RecordCache cache(100 * 48, 40);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Random random(t);
      std::vector<std::byte> out(40);
      for (int i = 0; i < 5000; ++i) {
        const Id id = static_cast<Id>(random.below(300));
        if (cache.get(id, out.data())) {
          EXPECT_EQ(out, record(id, 40));
        } else {
          cache.put(id, record(id, 40).data());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace kith
