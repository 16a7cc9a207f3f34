#include "learn/threads.h"

#include <malloc.h>

#include <limits>

#include "base/parallel.h"
#include "learn/torch.h"

extern "C" void openblas_set_num_threads(int threads);

namespace kith::learn {

void set_threads(const Control& control) {
  const int threads = static_cast<int>(thread_count(control));
  at::set_num_threads(threads);
  // Its threads would spin between the small products of a training, which run_shards() shares out.
  openblas_set_num_threads(1);
}

void keep_memory() {
  constexpr int kNever = std::numeric_limits<int>::max();
  ::mallopt(M_MMAP_THRESHOLD, kNever);
  ::mallopt(M_TRIM_THRESHOLD, kNever);
  ::mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace kith::learn
