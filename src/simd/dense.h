// Dense layers: y = x * transpose(w) + bias, where w was packed once and serves many products (see
// matmul.h for the tiles). Sums run over the inputs in order, so a row of y depends on its row of x
// alone: not on the rows beside it, nor on the number of threads.
#pragma once

#include <cstddef>

#include "kith/control.h"
#include "kith/matrix.h"

namespace kith::simd {

class PackedWeights {
 public:
  PackedWeights() = default;
  // One row an output. `bias` has one value an output, or is null (zeros).
  PackedWeights(MatrixView<const float> rows, const float* bias);

  std::size_t outputs() const { return outputs_; }
  std::size_t inputs() const { return inputs_; }
  const float* panel(std::size_t p) const { return panels_.row(p); }
  std::size_t panels() const { return panels_.rows(); }
  const float* bias() const { return bias_.data(); }  // padded to whole panels

 private:
  std::size_t outputs_ = 0, inputs_ = 0;
  Matrix<float> panels_, bias_;
};

// Memory that products reuse; one for each product that runs at a time.
struct DenseScratch {
  Matrix<float> packed;
};

// y is x.rows() x w.outputs(). Throws invalid_argument when shapes differ.
void dense(const Control& control, MatrixView<const float> x, const PackedWeights& w,
           MatrixView<float> y, DenseScratch& scratch);

}  // namespace kith::simd
