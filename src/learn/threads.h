// One number of threads for all that computes in this process: LibTorch, its OpenMP loops and BLAS.
#pragma once

#include "kith/control.h"

namespace kith::learn {

// From now on, for the whole process. Threads are those of `control`, as everywhere in kith.
void set_threads(const Control& control);

}  // namespace kith::learn
