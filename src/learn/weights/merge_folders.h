// Models' folders in, a merged model's folder out: `kith model merge`.
#pragma once

#include "learn/learn.h"

namespace kith::learn {

// Throws what reading, the method and writing throw, and invalid_argument for an unknown method,
// options that it hasn't, and methods other than the average without a base; cancelled. Memory: the
// weights of all models in float32, and twice a model's.
MergeSummary merge_folders(const MergeRequest& request);

}  // namespace kith::learn
