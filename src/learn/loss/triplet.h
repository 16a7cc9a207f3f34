// Triplets: an anchor nearer to its positive than to its negative by a margin (Schroff et al.,
// 2015), and the hardest of both within a batch (Hermans et al., 2017).
#pragma once

#include "learn/tensor.h"

namespace kith::learn {

enum class TripletDistance { cosine, euclidean };  // 1 - cosine, or the length of the difference

struct TripletOptions {
  double margin = 0.2;  // both papers'
  TripletDistance distance = TripletDistance::cosine;
};

// Mean over rows of max(0, D(a, p) - D(a, n) + margin); three tensors [B, d]. Equal vectors have a
// gradient of 0. Throws kith::Error invalid_argument on shapes that do not fit and a margin below
// 0.
Tensor triplet(const Tensor& anchors, const Tensor& positives, const Tensor& negatives,
               const TripletOptions& options = {});

// The same, where every text of a batch is an anchor, its positive the farthest with its label and
// its negative the nearest with another: [B, d] and [B]. Mean over the texts that have both; 0
// where none has. Throws as above. Cost: B^2 d to choose, without a gradient.
Tensor batch_hard_triplet(const Tensor& embeddings, const Tensor& labels,
                          const TripletOptions& options = {});

}  // namespace kith::learn
