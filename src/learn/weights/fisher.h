// Fisher-weighted averaging (Matena and Raffel, "Merging models with Fisher-weighted averaging",
// 2022): a value counts for more in the models whose loss depends on it.
#pragma once

#include <vector>

#include "learn/weights/task_vectors.h"

namespace kith::learn {

// For each value k of each tensor:  sum_i w_i F_i^k V_i^k / (sum_i w_i F_i^k + 1e-8), so that what
// no loss depends on stays the base's. `fishers`: one a vector, the mean over samples of a
// gradient's squares at model i, with the vectors' names and shapes. `weights` empty: 1 each.
// Throws invalid_argument when names or shapes differ, when a Fisher value or weight is below 0 or
// not finite, each with the model's name.
Parameters merge_fisher(const TaskVectors& vectors, const std::vector<Parameters>& fishers,
                        const std::vector<double>& weights = {});

}  // namespace kith::learn
