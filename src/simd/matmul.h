// Many-to-many inner products in float32: A (m x dim) times the transpose of B (n x dim), both
// row-major. Rows of A are packed in panels of `a_rows`, rows of B in panels of `b_rows`; a tile is
// the product of two panels, kept in registers over all of dim. Callers run tiles through
// parallel_for; nothing here starts threads. Sums run over the dimensions in order, one rounding a
// fused multiply-add (two where the processor has none), so each product's error is at most about
// dim * 2^-24 * sum |a_i b_i|.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kith/matrix.h"
#include "simd/tile_hit.h"

namespace kith::simd {

// How rows of A lie for low_max, "staged": in pieces of so many dimensions, so that the distance
// from row to row is known when the kernel is compiled; what lies between rows spreads them over
// the sets of a cache.
inline constexpr std::size_t kStagedDims = 256, kStagedStride = kStagedDims + 16;

struct MatmulKernels {
  using LowProduct = void (*)(const float* a, std::size_t a_stride, const float* b, std::size_t dim,
                              const float* init, float* c, std::size_t c_stride);
  using LowMax = void (*)(const float* a, const float* b, std::size_t dim, float* best);
  using LowMore = void (*)(const float* a, std::size_t a_stride, const float* b, std::size_t dim,
                           float* c, std::size_t c_stride);

  std::size_t a_rows, b_rows;  // rows in a panel of A and of B

  // c[i * c_stride + j] = init[j] + <row i of a, row j of b>; init may be null (zero).
  void (*product)(const float* a, const float* b, std::size_t dim, const float* init, float* c,
                  std::size_t c_stride);

  // The values init[j] + <row i of a, row j of b> that are at most thresholds[i], by a then b.
  // Returns how many; `hits` has room for a_rows * b_rows. A NaN threshold or init passes nothing.
  std::size_t (*select)(const float* a, const float* b, std::size_t dim, const float* init,
                        const float* thresholds, TileHit* hits);

  // Packs `rows` (at most b_rows) float rows `stride` floats apart into one panel of B. Missing
  // rows become zeros. `panel` is aligned to 64 bytes and has room for b_rows * dim floats.
  void (*pack_b)(const float* from, std::size_t stride, std::size_t rows, std::size_t dim,
                 float* panel);
  // The same for a panel of A: a_rows * dim floats, any alignment.
  void (*pack_a)(const float* from, std::size_t stride, std::size_t rows, std::size_t dim,
                 float* panel);

  // Panels of A of any `height` from 1 to a_rows, of which few rows waste less; a product is the
  // same to the bit. low_product[height] multiplies what pack_low packs, and low_more[height] adds
  // products to what c holds, so that a sum may run over the dimensions in pieces. Dimension k of
  // row i is a[k * a_stride + i]: `a_stride` is the height, or more where rows lie among others.
  const LowProduct* low_product;
  const LowMore* low_more;
  void (*pack_low)(const float* from, std::size_t stride, std::size_t rows, std::size_t dim,
                   std::size_t height, float* panel);

  // best[j] = max(best[j], <row i of a, row j of b> of each i), for the b_rows rows of a panel of B
  // and low_max[height] of that many rows of A, which needn't be packed: dimension k of row i is
  // a[k / kStagedDims * staged_piece() + i * kStagedStride + k % kStagedDims].
  const LowMax* low_max;
  std::size_t staged_piece() const { return a_rows * kStagedStride; }
  std::size_t staged_floats(std::size_t dim) const {
    return (dim + kStagedDims - 1) / kStagedDims * staged_piece();
  }

  // The height of the fewest panels of A that hold so many rows.
  std::size_t height(std::size_t rows) const {
    const std::size_t panels = (rows + a_rows - 1) / a_rows;
    return panels == 0 ? a_rows : (rows + panels - 1) / panels;
  }
};

// For the instruction set in use (see dispatch.h).
const MatmulKernels& matmul_kernels();

// c = a * transpose(b); c is a.rows() x b.rows(). Allocates packed copies of a block of each.
// Single-threaded: give it slices to run in parallel. Throws invalid_argument when shapes differ.
void matmul(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c);

}  // namespace kith::simd
