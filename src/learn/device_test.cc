#include "learn/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_error.h"
#include "kith/error.h"

namespace kith::learn {
namespace {

using testing::HasSubstr;

TEST(Device, IsFoundByNameOrRefusedWithTheNamesThereAre) {
  EXPECT_EQ(find_device("cpu"), at::Device(at::kCPU));
  for (const char* name : {"", "abacus", "cpu:1", "cuda:", "cuda:-1", "cuda:one", "cuda1"}) {
    EXPECT_THAT(error_of([&] { find_device(name); }),
                HasSubstr("device '" + std::string(name) + "', expected cpu, cuda or cuda:N"));
  }
  EXPECT_THAT(error_of([] { find_device("cuda:99"); }),
              HasSubstr("device 'cuda:99': LibTorch sees"));
}

}  // namespace
}  // namespace kith::learn
