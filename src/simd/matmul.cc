#include "simd/matmul.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "kith/error.h"
#include "simd/dispatch.h"
#include "simd/highway_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "simd/matmul.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace kith::simd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;
constexpr std::size_t kLanes = hn::MaxLanes(Floats());

// Accumulators fill the registers, but for one row of B and one broadcast value of A.
#if HWY_TARGET == HWY_AVX3
constexpr std::size_t kARows = 14, kBVectors = 2;
#elif HWY_TARGET == HWY_NEON
constexpr std::size_t kARows = 8, kBVectors = 3;
#elif HWY_TARGET == HWY_SCALAR
constexpr std::size_t kARows = 2, kBVectors = 4;
#else
constexpr std::size_t kARows = 6, kBVectors = 2;
#endif
constexpr std::size_t kBRows = kBVectors * kLanes;

template <std::size_t kRows>
using Sums = Vector[kRows][kBVectors];

// All loops over a tile are unrolled, so that the sums live in registers.
#define KITH_UNROLL _Pragma("GCC unroll 16")

template <std::size_t kRows>
HWY_INLINE void start(const float* HWY_RESTRICT init, Sums<kRows>& sums) {
  const Floats d;
  KITH_UNROLL for (std::size_t v = 0; v < kBVectors; ++v) {
    const Vector first = init == nullptr ? hn::Zero(d) : hn::LoadU(d, init + v * kLanes);
    KITH_UNROLL for (std::size_t i = 0; i < kRows; ++i) sums[i][v] = first;
  }
}

template <std::size_t kRows>
HWY_INLINE void add_products(const float* HWY_RESTRICT a, std::size_t a_stride,
                             const float* HWY_RESTRICT b, std::size_t dim, Sums<kRows>& sums) {
  const Floats d;
  for (std::size_t k = 0; k < dim; ++k, a += a_stride, b += kBRows) {
    Vector row[kBVectors];
    KITH_UNROLL for (std::size_t v = 0; v < kBVectors; ++v) {
      row[v] = hn::Load(d, b + v * kLanes);
    }
    KITH_UNROLL for (std::size_t i = 0; i < kRows; ++i) {
      const Vector value = hn::Set(d, a[i]);
      KITH_UNROLL for (std::size_t v = 0; v < kBVectors; ++v) {
        sums[i][v] = hn::MulAdd(value, row[v], sums[i][v]);
      }
    }
  }
}

template <std::size_t kRows>
HWY_INLINE void store(const Sums<kRows>& sums, float* c, std::size_t c_stride) {
  KITH_UNROLL for (std::size_t i = 0; i < kRows; ++i) {
    KITH_UNROLL for (std::size_t v = 0; v < kBVectors; ++v) {
      hn::StoreU(sums[i][v], Floats(), c + i * c_stride + v * kLanes);
    }
  }
}

void product(const float* a, const float* b, std::size_t dim, const float* init, float* c,
             std::size_t c_stride) {
  Sums<kARows> sums;
  start<kARows>(init, sums);
  add_products<kARows>(a, kARows, b, dim, sums);
  store<kARows>(sums, c, c_stride);
}

template <std::size_t kRows>
void low_product(const float* a, std::size_t a_stride, const float* b, std::size_t dim,
                 const float* init, float* c, std::size_t c_stride) {
  Sums<kRows> sums;
  start<kRows>(init, sums);
  add_products<kRows>(a, a_stride, b, dim, sums);
  store<kRows>(sums, c, c_stride);
}

template <std::size_t kRows>
void low_more(const float* a, std::size_t a_stride, const float* b, std::size_t dim, float* c,
              std::size_t c_stride) {
  Sums<kRows> sums;
  KITH_UNROLL for (std::size_t i = 0; i < kRows; ++i) {
    KITH_UNROLL for (std::size_t v = 0; v < kBVectors; ++v) {
      sums[i][v] = hn::LoadU(Floats(), c + i * c_stride + v * kLanes);
    }
  }
  add_products<kRows>(a, a_stride, b, dim, sums);
  store<kRows>(sums, c, c_stride);
}

template <std::size_t kRows>
void low_max(const float* a, const float* b, std::size_t dim, float* best) {
  const Floats d;
  Sums<kRows> sums;
  start<kRows>(nullptr, sums);
  for (std::size_t first = 0; first < dim; first += kStagedDims, a += kARows * kStagedStride) {
    const std::size_t count = std::min(kStagedDims, dim - first);
    for (std::size_t k = 0; k < count; ++k, b += kBRows) {
      Vector row[kBVectors];
      KITH_UNROLL for (std::size_t v = 0; v < kBVectors; ++v) {
        row[v] = hn::Load(d, b + v * kLanes);
      }
      KITH_UNROLL for (std::size_t i = 0; i < kRows; ++i) {
        const Vector value = hn::Set(d, a[i * kStagedStride + k]);
        KITH_UNROLL for (std::size_t v = 0; v < kBVectors; ++v) {
          sums[i][v] = hn::MulAdd(value, row[v], sums[i][v]);
        }
      }
    }
  }
  KITH_UNROLL for (std::size_t v = 0; v < kBVectors; ++v) {
    Vector largest = hn::LoadU(d, best + v * kLanes);
    KITH_UNROLL for (std::size_t i = 0; i < kRows; ++i) largest = hn::Max(largest, sums[i][v]);
    hn::StoreU(largest, d, best + v * kLanes);
  }
}

// The hits of a tile that was stored because it has some. They are few: all comparisons first, into
// one row of bits, so that only hits cost a branch.
HWY_NOINLINE std::size_t list_hits(const float* values, const float* thresholds, TileHit* hits) {
  const Floats d;
  constexpr std::size_t kVectors = kARows * kBVectors;
  constexpr std::size_t kBits = kLanes < 8 ? 8 : kLanes;  // StoreMaskBits writes whole bytes
  constexpr std::size_t kWords = (kVectors * kBits + 63) / 64;
  std::uint64_t words[kWords + 1] = {};
  auto* bytes = reinterpret_cast<std::uint8_t*>(words);
  for (std::size_t i = 0; i < kVectors; ++i) {
    const Vector threshold = hn::Set(d, thresholds[i / kBVectors]);
    hn::StoreMaskBits(d, hn::Le(hn::Load(d, values + i * kLanes), threshold),
                      bytes + i * kBits / 8);
  }
  std::size_t count = 0;
  for (std::size_t w = 0; w < kWords; ++w) {
    for (std::uint64_t word = words[w]; word != 0; word &= word - 1) {
      const std::size_t bit = w * 64 + static_cast<std::size_t>(__builtin_ctzll(word));
      const std::size_t position = bit / kBits * kLanes + bit % kBits;
      hits[count++] = {values[position], static_cast<std::uint16_t>(position / kBRows),
                       static_cast<std::uint16_t>(position % kBRows)};
    }
  }
  return count;
}

std::size_t select(const float* a, const float* b, std::size_t dim, const float* init,
                   const float* thresholds, TileHit* hits) {
  const Floats d;
  Sums<kARows> sums;
  start<kARows>(init, sums);
  add_products<kARows>(a, kARows, b, dim, sums);
  auto any = hn::Le(sums[0][0], hn::Set(d, thresholds[0]));
  KITH_UNROLL for (std::size_t i = 0; i < kARows; ++i) {
    const Vector threshold = hn::Set(d, thresholds[i]);
    KITH_UNROLL for (std::size_t v = 0; v < kBVectors; ++v) {
      any = hn::Or(any, hn::Le(sums[i][v], threshold));
    }
  }
  if (HWY_LIKELY(hn::AllFalse(d, any))) return 0;
  HWY_ALIGN float values[kARows * kBRows];
  KITH_UNROLL for (std::size_t i = 0; i < kARows; ++i) {
    KITH_UNROLL for (std::size_t v = 0; v < kBVectors; ++v) {
      hn::Store(sums[i][v], d, values + (i * kBVectors + v) * kLanes);
    }
  }
  return list_hits(values, thresholds, hits);
}

#undef KITH_UNROLL

// Element (row, k) goes to panel[k * width + row].
HWY_INLINE void pack_row(const float* from, std::size_t dim, std::size_t width, float* panel) {
  for (std::size_t k = 0; k < dim; ++k) panel[k * width] = from[k];
}

HWY_INLINE void pack_zeros(std::size_t dim, std::size_t width, float* panel) {
  for (std::size_t k = 0; k < dim; ++k) panel[k * width] = 0;
}

#if HWY_TARGET != HWY_SCALAR
// Four rows at once, by transposing 4 x 4 blocks.
HWY_INLINE void pack_four_rows(const float* from, std::size_t stride, std::size_t dim,
                               std::size_t width, float* panel) {
  const hn::Full128<float> d;
  const hn::RepartitionToWide<decltype(d)> pairs;
  std::size_t k = 0;
  for (; k + 4 <= dim; k += 4) {
    const auto r0 = hn::LoadU(d, from + k), r1 = hn::LoadU(d, from + stride + k);
    const auto r2 = hn::LoadU(d, from + 2 * stride + k), r3 = hn::LoadU(d, from + 3 * stride + k);
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
    const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
    const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
    const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
    float* to = panel + k * width;
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + width);
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + 2 * width);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + 3 * width);
  }
  for (; k < dim; ++k) {
    for (std::size_t r = 0; r < 4; ++r) panel[k * width + r] = from[r * stride + k];
  }
}
#endif

HWY_INLINE void pack(const float* from, std::size_t stride, std::size_t rows, std::size_t dim,
                     std::size_t width, float* panel) {
  std::size_t row = 0;
#if HWY_TARGET != HWY_SCALAR
  for (; row + 4 <= rows; row += 4) {
    pack_four_rows(from + row * stride, stride, dim, width, panel + row);
  }
#endif
  for (; row < rows; ++row) pack_row(from + row * stride, dim, width, panel + row);
  for (; row < width; ++row) pack_zeros(dim, width, panel + row);
}

void pack_a(const float* from, std::size_t stride, std::size_t rows, std::size_t dim,
            float* panel) {
  pack(from, stride, rows, dim, kARows, panel);
}

void pack_low(const float* from, std::size_t stride, std::size_t rows, std::size_t dim,
              std::size_t height, float* panel) {
  pack(from, stride, rows, dim, height, panel);
}

void pack_b(const float* from, std::size_t stride, std::size_t rows, std::size_t dim,
            float* panel) {
  pack(from, stride, rows, dim, kBRows, panel);
}

template <std::size_t... kLess>
constexpr std::array<MatmulKernels::LowProduct, kARows + 1> low_products(
    std::index_sequence<kLess...>) {
  return {nullptr, low_product<kLess + 1>...};
}
template <std::size_t... kLess>
constexpr std::array<MatmulKernels::LowMore, kARows + 1> low_mores(std::index_sequence<kLess...>) {
  return {nullptr, low_more<kLess + 1>...};
}
template <std::size_t... kLess>
constexpr std::array<MatmulKernels::LowMax, kARows + 1> low_maxes(std::index_sequence<kLess...>) {
  return {nullptr, low_max<kLess + 1>...};
}
constexpr auto kLowProducts = low_products(std::make_index_sequence<kARows>());
constexpr auto kLowMores = low_mores(std::make_index_sequence<kARows>());
constexpr auto kLowMaxes = low_maxes(std::make_index_sequence<kARows>());

constexpr MatmulKernels kKernels{
    kARows,           kBRows,   product,         select, pack_b, pack_a, kLowProducts.data(),
    kLowMores.data(), pack_low, kLowMaxes.data()};

}  // namespace HWY_NAMESPACE
}  // namespace kith::simd
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "simd/by_level.h"

namespace kith::simd {
namespace {

const MatmulKernels& choose() { KITH_RETURN_BY_LEVEL(level(), kKernels) }

}  // namespace

const MatmulKernels& matmul_kernels() {
  static const MatmulKernels& chosen = choose();
  return chosen;
}

namespace {

// Packed blocks of both sides stay within a core's second-level cache.
constexpr std::size_t kBlockBytes = 256 << 10;

std::size_t panels_in_block(std::size_t panel_rows, std::size_t dim, std::size_t rows) {
  const std::size_t fitting =
      kBlockBytes / (panel_rows * std::max<std::size_t>(dim, 1) * sizeof(float));
  return std::clamp<std::size_t>(fitting, 1, (rows + panel_rows - 1) / panel_rows);
}

// Rows of a view that may lie at any byte stride, as packed panels.
class Panels {
 public:
  using Pack = void (*)(const float*, std::size_t, std::size_t, std::size_t, float*);

  Panels(std::size_t panel_rows, Pack pack, MatrixView<const float> rows)
      : panel_rows_(panel_rows),
        pack_(pack),
        rows_(rows),
        block_panels_(panels_in_block(panel_rows, rows.cols(), rows.rows())),
        staged_(panel_rows, rows.cols()),
        packed_(block_panels_, panel_rows * rows.cols()) {}

  std::size_t block_rows() const { return block_panels_ * panel_rows_; }
  std::size_t panels() const { return block_panels_; }
  const float* panel(std::size_t p) const { return packed_.row(p); }

  void load(std::size_t first) {
    for (std::size_t p = 0; p < block_panels_; ++p) {
      const std::size_t begin = std::min(rows_.rows(), first + p * panel_rows_);
      const std::size_t count = std::min(panel_rows_, rows_.rows() - begin);
      for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(staged_.row(i), rows_.row(begin + i), rows_.cols() * sizeof(float));
      }
      pack_(staged_.data(), staged_.stride_bytes() / sizeof(float), count, rows_.cols(),
            packed_.row(p));
    }
  }

 private:
  std::size_t panel_rows_;
  Pack pack_;
  MatrixView<const float> rows_;
  std::size_t block_panels_;
  Matrix<float> staged_, packed_;
};

// Writes the part of a tile that lies inside c.
void copy_tile(const float* tile, std::size_t tile_cols, MatrixView<float> c, std::size_t row,
               std::size_t rows, std::size_t col) {
  if (col >= c.cols()) return;
  const std::size_t cols = std::min(tile_cols, c.cols() - col);
  for (std::size_t i = 0; i < rows && row + i < c.rows(); ++i) {
    std::memcpy(c.row(row + i) + col, tile + i * tile_cols, cols * sizeof(float));
  }
}

}  // namespace

void matmul(MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> c) {
  if (a.cols() != b.cols() || c.rows() != a.rows() || c.cols() != b.rows()) {
    throw Error(ErrorCode::invalid_argument,
                "matmul: " + std::to_string(a.rows()) + " x " + std::to_string(a.cols()) +
                    " by the transpose of " + std::to_string(b.rows()) + " x " +
                    std::to_string(b.cols()) + " into " + std::to_string(c.rows()) + " x " +
                    std::to_string(c.cols()));
  }
  if (c.empty()) return;
  const MatmulKernels& kernels = matmul_kernels();
  Panels panels_a(kernels.a_rows, kernels.pack_a, a), panels_b(kernels.b_rows, kernels.pack_b, b);
  Matrix<float> tile(1, kernels.a_rows * kernels.b_rows);
  for (std::size_t row = 0; row < a.rows(); row += panels_a.block_rows()) {
    panels_a.load(row);
    for (std::size_t col = 0; col < b.rows(); col += panels_b.block_rows()) {
      panels_b.load(col);
      for (std::size_t q = 0; q < panels_b.panels(); ++q) {
        for (std::size_t p = 0; p < panels_a.panels(); ++p) {
          kernels.product(panels_a.panel(p), panels_b.panel(q), a.cols(), nullptr, tile.data(),
                          kernels.b_rows);
          copy_tile(tile.data(), kernels.b_rows, c, row + p * kernels.a_rows, kernels.a_rows,
                    col + q * kernels.b_rows);
        }
      }
    }
  }
}

}  // namespace kith::simd
#endif  // HWY_ONCE
