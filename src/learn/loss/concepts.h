// How well a model predicts the concepts that people gave to a text: binary cross-entropy, weighted
// since most concepts are rare and lists of them incomplete.
#pragma once

#include "learn/tensor.h"

namespace kith::learn {

// The mean over texts and concepts of  -y w_j ln sigmoid(z_j) - (1 - y) a ln(1 - sigmoid(z_j)),
// each weighted by itself: the sum is divided by that of the weights y w_j + (1 - y) a, so that the
// value is that of one decision however many concepts there are. Log-odds z [n, V]; given y [n, V],
// of zeros and ones; positive weights w [V], above 0; `absent` a, above 0. A row without a one is a
// text that nobody gave concepts to: it counts for nothing, and where all are such the loss is 0.
// Throws kith::Error invalid_argument on shapes that do not fit and weights that aren't above 0.
Tensor concept_loss(const Tensor& log_odds, const Tensor& given, const Tensor& positive_weights,
                    double absent);

}  // namespace kith::learn
