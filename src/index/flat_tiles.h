// A batch's queries by stored rows, a tile of the product at a time, and of each tile the values
// that pass their thresholds. Tiles are float32, or narrow: both sides are rounded to bfloat16,
// which some processors multiply faster (simd::bf16_is_faster). What rounding took from a row is
// measured, so that the caller can bound it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kith/matrix.h"
#include "simd/matmul.h"
#include "simd/narrow_tiles.h"

namespace kith {

class FlatTiles {
 public:
  // Of rows with `dim` components. `workers` threads may pack at a time.
  FlatTiles(std::size_t dim, std::size_t workers, bool narrow);

  bool narrow() const { return narrow_; }
  // Rows in a panel: a's are queries, b's are stored rows.
  std::size_t a_rows() const { return narrow_ ? simd::kTileRows : floats_.a_rows; }
  std::size_t b_rows() const { return narrow_ ? simd::kTileOutputs : floats_.b_rows; }
  std::size_t a_bytes() const { return narrow_ ? a_rows() * stride_ : a_rows() * dim_ * 4; }
  std::size_t b_bytes() const { return b_rows() * (narrow_ ? words_ * 4 : dim_ * 4); }

  // Packs the first `count` rows into a panel aligned to 64 bytes; missing ones become zeros.
  // losses[i] is the norm of what rounding took from row i. Packed rows are finite.
  void pack_a(const Matrix<float>& rows, std::size_t count, std::byte* panel,
              std::span<float> losses) const;
  void pack_b(const Matrix<float>& rows, std::size_t count, std::byte* panel,
              std::span<float> losses, std::size_t worker);

  // The values offsets[j] + <row i of a, row j of b> that are at most thresholds[i], by i then j,
  // as simd::MatmulKernels::select gives them.
  std::size_t select(const std::byte* a, const std::byte* b, const float* offsets,
                     const float* thresholds, simd::TileHit* hits) const;

  // Around a thread's calls of select.
  simd::NarrowSession session() const { return simd::NarrowSession(kernels_); }

 private:
  const simd::MatmulKernels& floats_ = simd::matmul_kernels();
  simd::NarrowKernels kernels_{};
  const simd::NarrowRowKernels& around_;
  std::size_t dim_, words_, stride_;  // words of a row; bytes between rows of a
  bool narrow_;
  std::vector<Matrix<std::uint32_t>> staged_;  // one a worker
};

}  // namespace kith
