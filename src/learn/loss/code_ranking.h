// What codes of vectors are to keep: which candidate belongs to a query (NCE), and how similar all
// of them are (distillation). Y. Gan et al., "Binary embedding-based retrieval at Tencent", KDD
// 2023, have the first, with candidates out of a queue; on vectors alone it forgets the order of
// neighbours, which the second keeps.
#pragma once

#include <cstdint>

#include "learn/tensor.h"

namespace kith::learn {

struct CodeRankingOptions {
  double temperature = 0.05;
  double nce = 1, distillation = 1, squares = 10;  // weights; squares: within distillation
  std::int64_t hard = 256;  // candidates that a query is told apart from: the nearest; 0: all
};

// `student` and `teacher` are cosines [B, C] of codes and of whole vectors, the teacher's without
// gradient; column i of row i is its own candidate. `masked` [B, C]: not to be looked at (the query
// itself). With t the temperature,
//
//   nce            -log( e^{s_ii/t} / sum of e^{s_ic/t} over i and the `hard` c of largest teacher
//                  cosine among those less near than i is, so that no neighbour counts as wrong)
//   distillation   -sum_c softmax(teacher_i/t)_c log softmax(student_i/t)_c
//                  + squares * mean (student - teacher)^2
//
// means over rows. Throws invalid_argument for shapes that don't fit, a temperature that isn't
// above 0 and weights below 0.
Tensor code_ranking_loss(const Tensor& student, const Tensor& teacher, const Tensor& masked,
                         const CodeRankingOptions& options = {});

}  // namespace kith::learn
