// TIES (Yadav et al., "TIES-Merging: resolving interference when merging models", 2023): small
// changes are dropped, and where signs differ the stronger side alone is averaged.
#pragma once

#include "learn/weights/task_vectors.h"

namespace kith::learn {

struct TiesOptions {
  double top = 20;   // percent of each vector's values that stay, the largest (the paper's choice)
  double scale = 1;  // lambda
  // Before `scale`, the result gets the mean length of the trimmed vectors, as Li et al. (2024) do:
  // averages of what disagrees are short.
  bool rescale = false;
};

// A vector's values are compared over all tensors together; of equal ones at the border all stay.
// For each coordinate the sign is that of the sum of trimmed vectors, and the result the mean of
// the values with that sign; 0 where the sum is 0. Throws invalid_argument unless 0 < top <= 100
// and the scale is finite.
Parameters merge_ties(const TaskVectors& vectors, const TiesOptions& options = {});

}  // namespace kith::learn
