// Dense layers whose weights are bfloat16 or bytes (see kith/precision.h). A row of y depends on
// its row of x alone, as that of dense.h does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "kith/matrix.h"
#include "kith/precision.h"
#include "simd/activations.h"
#include "simd/narrow_tiles.h"

namespace kith::simd {

class NarrowWeights {
 public:
  NarrowWeights() = default;
  // One row an output, as PackedWeights takes them; `precision` is bf16 or int8. Bytes of an output
  // are round(w / scale) with scale = max |w| / 127.
  NarrowWeights(MatrixView<const float> rows, const float* bias, Precision precision);

  Precision precision() const { return precision_; }
  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return outputs_; }
  std::size_t words() const { return words_; }  // of a row, filled up
  std::size_t panels() const { return panels_.rows(); }
  const std::uint32_t* panel(std::size_t p) const { return panels_.row(p); }
  // Padded to whole panels. An output's total is the sum of its bytes.
  const float* bias() const { return bias_.data(); }
  const float* scales() const { return scales_.data(); }
  const float* totals() const { return totals_.data(); }

 private:
  void set(std::size_t output, std::size_t word, std::uint32_t value) {
    panels_.row(output / kTileOutputs)[panel_place(output % kTileOutputs, word)] = value;
  }
  void pack_bf16(const float* row, std::size_t output);
  void pack_bytes(const float* row, std::size_t output);

  Precision precision_ = Precision::bf16;
  std::size_t outputs_ = 0, inputs_ = 0, words_ = 0;
  Matrix<std::uint32_t> panels_;
  Matrix<float> bias_, scales_, totals_;
};

// Memory that products reuse; one for each product that runs at a time.
struct NarrowScratch {
  Matrix<std::uint32_t> words;
  std::vector<ByteScale> scales;
};

// y = after(x * transpose(w) + bias), by the kernels of a level; `shared` by the team, or by this
// thread alone. The caller has checked the shapes.
void narrow_dense(Level level, WorkerTeam& team, bool shared, MatrixView<const float> x,
                  const NarrowWeights& w, MatrixView<float> y, Activation after,
                  NarrowScratch& scratch);

}  // namespace kith::simd
