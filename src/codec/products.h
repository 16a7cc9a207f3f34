// Sums of products over many rows, which second moments and rotations are learned from.
#pragma once

#include "kith/control.h"
#include "kith/matrix.h"

namespace kith {

// transpose(x) * y, x.cols() x y.cols(), summed over the rows: blocks of them in float by the
// matrix kernels, the blocks in double. The same for any number of threads. Throws invalid_argument
// when the numbers of rows differ.
Matrix<double> sum_of_products(MatrixView<const float> x, MatrixView<const float> y,
                               const Control& control);

}  // namespace kith
