#include "learn/threads.h"

#include "base/parallel.h"
#include "learn/torch.h"

extern "C" void openblas_set_num_threads(int threads);

namespace kith::learn {

void set_threads(const Control& control) {
  const int threads = static_cast<int>(thread_count(control));
  at::set_num_threads(threads);
  openblas_set_num_threads(threads);
}

}  // namespace kith::learn
