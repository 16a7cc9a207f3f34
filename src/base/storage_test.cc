#include "base/storage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace kith {
namespace {

TEST(Storage, KeepsItsContentAndZeroesWhatIsNewAsItGrows) {
  Storage storage;
  std::size_t filled = 0;
  for (std::size_t size : {1u, 100u, 5000u, 3000000u, 9000000u}) {
    storage.resize(size);
    ASSERT_EQ(storage.size(), size);
    for (std::size_t i = 0; i < filled; i += 97) {
      ASSERT_EQ(storage.data()[i], static_cast<std::byte>(i % 251));
    }
    EXPECT_TRUE(std::all_of(storage.data() + filled, storage.data() + size,
                            [](std::byte b) { return b == std::byte{0}; }));
    std::byte* bytes = storage.mutable_data();
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i % 251);
    filled = size;
  }
}

TEST(Storage, ShrunkAndGrownAgainIsZeroThere) {
  Storage storage(100);
  std::fill_n(storage.mutable_data(), 100, std::byte{7});
  storage.resize(10);
  storage.resize(100);
  EXPECT_EQ(storage.data()[9], std::byte{7});
  EXPECT_EQ(storage.data()[10], std::byte{0});
}

TEST(Storage, WritingToAViewLeavesTheViewedBytesAlone) {
  auto owner = std::make_shared<std::vector<std::byte>>(64, std::byte{1});
  Storage storage = Storage::view(*owner, owner);
  EXPECT_EQ(storage.data(), owner->data());
  storage.mutable_data()[3] = std::byte{9};
  EXPECT_NE(storage.data(), owner->data());
  EXPECT_EQ((*owner)[3], std::byte{1});
  EXPECT_EQ(storage.data()[3], std::byte{9});
  EXPECT_EQ(storage.data()[4], std::byte{1});
}

}  // namespace
}  // namespace kith
