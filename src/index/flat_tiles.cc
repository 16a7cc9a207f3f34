#include "index/flat_tiles.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "simd/dispatch.h"

namespace kith {

FlatTiles::FlatTiles(std::size_t dim, std::size_t workers, bool narrow)
    : around_(simd::narrow_row_kernels(simd::level())),
      dim_(dim),
      words_(simd::row_words(2 * dim)),
      // A cache line more keeps rows from lying a power of two apart, in the same cache sets.
      stride_(4 * (words_ + simd::kGroupWords)),
      narrow_(narrow) {
  if (!narrow) return;
  kernels_ = simd::narrow_kernels(simd::level());
  for (std::size_t w = 0; w < workers; ++w) staged_.emplace_back(simd::kTileOutputs, words_);
}

void FlatTiles::pack_a(const Matrix<float>& rows, std::size_t count, std::byte* panel,
                       std::span<float> losses) const {
  if (!narrow_) {
    floats_.pack_a(rows.data(), rows.stride_bytes() / sizeof(float), count, dim_,
                   reinterpret_cast<float*>(panel));
    std::fill(losses.begin(), losses.end(), 0.0f);
    return;
  }
  std::memset(panel, 0, a_bytes());
  for (std::size_t i = 0; i < count; ++i) {
    losses[i] = std::sqrt(around_.to_bf16(rows.row(i), dim_, panel + i * stride_));
  }
}

void FlatTiles::pack_b(const Matrix<float>& rows, std::size_t count, std::byte* panel,
                       std::span<float> losses, std::size_t worker) {
  if (!narrow_) {
    floats_.pack_b(rows.data(), rows.stride_bytes() / sizeof(float), count, dim_,
                   reinterpret_cast<float*>(panel));
    std::fill(losses.begin(), losses.end(), 0.0f);
    return;
  }
  Matrix<std::uint32_t>& staged = staged_[worker];  // what lies behind a row's words stays zero
  for (std::size_t i = 0; i < count; ++i) {
    losses[i] = std::sqrt(around_.to_bf16(rows.row(i), dim_, staged.row(i)));
  }
  for (std::size_t i = count; i < simd::kTileOutputs; ++i) {
    std::fill_n(staged.row(i), words_, 0u);
  }
  simd::pack_panel(staged, panel);
}

std::size_t FlatTiles::select(const std::byte* a, const std::byte* b, const float* offsets,
                              const float* thresholds, simd::TileHit* hits) const {
  if (!narrow_) {
    return floats_.select(reinterpret_cast<const float*>(a), reinterpret_cast<const float*>(b),
                          dim_, offsets, thresholds, hits);
  }
  alignas(64) float sums[simd::kTileRows * simd::kTileOutputs];
  kernels_.bf16(a, stride_, simd::kTileRows, b, words_, sums);
  return around_.select(sums, offsets, thresholds, hits);
}

}  // namespace kith
