// Margin-MSE: the student's lead of a positive over a negative equals the teacher's (Hofstätter et
// al., 2020). Leads, not scores, so both may live on scales of their own zero.
#pragma once

#include "learn/tensor.h"

namespace kith::learn {

// Mean over rows and negatives of ( (s_p - s_n) - (t_p - t_n) )^2. Scores are [B, 1 + k], the
// positive's first, as candidate_scores gives them without in_batch (the paper's are dot products);
// the teacher, of the same shape, gets no gradient. Throws kith::Error invalid_argument on shapes
// that do not fit and on k = 0.
Tensor margin_mse(const Tensor& scores, const Tensor& teacher);

}  // namespace kith::learn
