#include "learn/threads.h"

#include <gtest/gtest.h>

#include "learn/torch.h"

extern "C" int openblas_get_num_threads();

namespace kith::learn {
namespace {

TEST(Threads, OfTorchAreThoseOfControlAndBlasHasOne) {
  for (const std::size_t threads : {1, 2}) {
    Control control;
    control.threads = threads;
    set_threads(control);
    EXPECT_EQ(at::get_num_threads(), static_cast<int>(threads));
    EXPECT_EQ(openblas_get_num_threads(), 1);
  }
}

}  // namespace
}  // namespace kith::learn
