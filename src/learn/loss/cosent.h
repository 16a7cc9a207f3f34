// CoSENT: similarities of labelled pairs in the order of their labels (Su, 2022), whatever their
// distances; for graded similarity, where only the order counts in the end.
#pragma once

#include "learn/tensor.h"

namespace kith::learn {

struct CosentOptions {
  double scale = 20;  // what cosines are multiplied by; Su's
};

// log( 1 + sum over pairs i, j of texts with label_i < label_j of e^{scale (cos_i - cos_j)} ),
// where cos_i is the cosine of first[i] and second[i]. One number a batch and no mean: its items
// are the batch's orderings. `first` and `second` are [B, d], `labels` [B], greater for more alike.
// Without two different labels it is 0. Throws kith::Error invalid_argument on shapes that do not
// fit and a scale that is not above 0. Cost: B^2 in memory.
Tensor cosent(const Tensor& first, const Tensor& second, const Tensor& labels,
              const CosentOptions& options = {});

// log( 1 + sum over i, j with labels[i] < labels[j] of e^{scores[i] - scores[j]} ): [B] and [B].
Tensor ranking(const Tensor& scores, const Tensor& labels);

}  // namespace kith::learn
