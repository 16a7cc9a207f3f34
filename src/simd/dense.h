// Dense layers: y = x * transpose(w) + bias, where w was packed once and serves many products (see
// matmul.h for the tiles of float32, narrow_tiles.h for those of bfloat16 and bytes). Sums run over
// the inputs in order, so a row of y depends on its row of x alone: not on the rows beside it, nor
// on the number of threads.
#pragma once

#include <cstddef>

#include "base/parallel.h"
#include "kith/matrix.h"
#include "kith/precision.h"
#include "simd/activations.h"
#include "simd/narrow_dense.h"

namespace kith::simd {

class PackedWeights {
 public:
  PackedWeights() = default;
  // One row an output. `bias` has one value an output, or is null (zeros).
  PackedWeights(MatrixView<const float> rows, const float* bias,
                Precision precision = Precision::f32);

  Precision precision() const { return precision_; }
  std::size_t outputs() const { return outputs_; }
  std::size_t inputs() const { return inputs_; }
  const NarrowWeights& narrow() const { return narrow_; }  // of bf16 and int8
  // Of f32:
  const float* panel(std::size_t p) const { return panels_.row(p); }
  std::size_t panels() const { return panels_.rows(); }
  const float* bias() const { return bias_.data(); }  // padded to whole panels

 private:
  Precision precision_ = Precision::f32;
  std::size_t outputs_ = 0, inputs_ = 0;
  Matrix<float> panels_, bias_;
  NarrowWeights narrow_;
};

// Memory that products reuse; one for each product that runs at a time.
struct DenseScratch {
  Matrix<float> packed;
  NarrowScratch narrow;
};

// y = after(x * transpose(w) + bias), x.rows() x w.outputs(). Throws invalid_argument when shapes
// differ.
void dense(WorkerTeam& team, MatrixView<const float> x, const PackedWeights& w, MatrixView<float> y,
           DenseScratch& scratch, Activation after = Activation::identity);

}  // namespace kith::simd
