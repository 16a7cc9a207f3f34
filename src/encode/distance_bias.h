// What attention scores gain by the distance of two tokens: one row a head, one value for each
// distance from -(length - 1) to length - 1, so that the scores that tokens in a row give
// one token gain a plain slice.
#pragma once

#include <cstddef>

#include "encode/config.h"
#include "kith/matrix.h"

namespace kith::encode {

// Column length - 1 + (i - j) is what token i's score of token j gains. Empty when the model has no
// such bias. `bucket_bias`: a row a bucket, a column a head.
Matrix<float> distance_bias(const Config& config, MatrixView<const float> bucket_bias,
                            std::size_t length);

}  // namespace kith::encode
