// Weighted sums of task vectors: their average (for models without a base a model soup, Wortsman et
// al., 2022) and task arithmetic (Ilharco et al., 2023).
#pragma once

#include <vector>

#include "learn/weights/task_vectors.h"

namespace kith::learn {

// w_i / sum of w: the coefficients of an average. `weights` empty: 1 each. Throws invalid_argument
// when there isn't one a vector, one is below 0 or not finite, or all are 0.
std::vector<double> average_coefficients(const TaskVectors& vectors,
                                         const std::vector<double>& weights = {});

// scale * w_i: those of task arithmetic. Weights may be below 0, which unlearns. Throws
// invalid_argument when there isn't one a vector, or one or the scale isn't finite.
std::vector<double> arithmetic_coefficients(const TaskVectors& vectors,
                                            const std::vector<double>& weights = {},
                                            double scale = 1);

}  // namespace kith::learn
