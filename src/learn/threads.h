// One number of threads for all that computes in this process: LibTorch and shards of batches.
#pragma once

#include "kith/control.h"

namespace kith::learn {

// From now on, for the whole process. Threads are those of `control`, as everywhere in kith.
void set_threads(const Control& control);

// From now on memory that tensors free stays with the process, for the next ones of their size:
// steps of a training take and give back the same hundreds of megabytes, and asking the system for
// them page by page costs a tenth of a step or more.
void keep_memory();

}  // namespace kith::learn
