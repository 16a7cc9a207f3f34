// A student that ranks candidates as a teacher does: the losses that Distill-VQ compares (Xiao et
// al., "Distill-VQ: learning retrieval oriented vector quantization by distilling knowledge from
// dense embeddings", 2022).
#pragma once

#include <string>

#include "learn/tensor.h"

namespace kith::learn {

inline constexpr const char* kListLosses[] = {"listnet", "kl", "mse", "margin_mse", "ranknet"};

// Mean over rows; `student` and `teacher` are scores of the same candidates, [B, n], the teacher
// gets no gradient. Scores are divided by `temperature` first in all but mse and margin_mse.
//
//   listnet     -sum_d softmax(teacher)_d log softmax(student)_d (Cao et al., 2007)
//   kl          KL(softmax(student) || softmax(teacher))
//   mse         the squared difference of scores
//   margin_mse  that of their differences to the teacher's best candidate (Hofstatter et al., 2020)
//   ranknet     -sum_ij (t_i - t_j) log sigmoid(s_i - s_j) over pairs with t_i > t_j, t the
//   teacher's
//               shares, divided by the sum of those differences (Burges et al., 2005)
//
// Throws invalid_argument for another name, shapes that don't fit and a temperature that is not
// above 0. ranknet takes B n^2.
Tensor list_loss(const std::string& name, const Tensor& student, const Tensor& teacher,
                 double temperature);

}  // namespace kith::learn
