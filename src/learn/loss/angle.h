// AnglE: labelled pairs ranked by cosine and by angle in complex space, where cosines that lie near
// 1 or -1 still differ, with in-batch candidates for pairs that belong together (Li and Li, 2023).
#pragma once

#include "learn/tensor.h"

namespace kith::learn {

struct AngleOptions {
  double cosine_weight = 1, angle_weight = 1, in_batch_weight = 1;  // the authors' code; 0 is off
  double cosine_scale = 20, angle_scale = 1, in_batch_scale = 20;   // so too; NLI takes angle 20
  double positive_label = 1;  // pairs of at least this label belong together
};

// The weighted sum of
//   cosine: ranking of cosine_scale cos_k, as CoSENT,
//   angle: ranking of angle_scale |sum of real and imaginary parts of z_k|; the first half of a
//     vector holds real parts and the second imaginary ones, and z_k = x_k / y_k componentwise,
//     times |y_k| / |x_k|, with components divided by the length of all of y_k instead of their
//     own,
//   in-batch: mean, over texts of pairs that belong together, of -log of the partner's share among
//     all other texts of the batch, by e^{in_batch_scale cos}; 0 where no pair does.
// `first` and `second` are [B, d] with even d, `labels` [B], greater for more alike. Throws
// kith::Error invalid_argument on shapes that do not fit, odd d, a negative weight, no weight above
// 0, a scale that is not above 0 and a label that is not finite.
Tensor angle(const Tensor& first, const Tensor& second, const Tensor& labels,
             const AngleOptions& options = {});

}  // namespace kith::learn
