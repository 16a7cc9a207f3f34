#include "simd/dense.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/parallel.h"
#include "base/progress.h"
#include "kith/error.h"
#include "simd/dispatch.h"
#include "simd/matmul.h"

namespace kith::simd {
namespace {

// Packed rows of x that stay in a core's second-level cache while weights stream by.
constexpr std::size_t kBlockBytes = 1 << 20;
constexpr std::size_t kLargestTile = 14 * 48;
// Multiply-adds below which handing work to other threads costs more than it saves.
constexpr std::size_t kWorthThreads = 4 << 20, kWorthThreadsNarrow = 32 << 20;

std::size_t ceil_div(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

void check_shapes(MatrixView<const float> x, const PackedWeights& w, MatrixView<float> y) {
  if (x.cols() == w.inputs() && y.rows() == x.rows() && y.cols() == w.outputs()) return;
  throw Error(ErrorCode::invalid_argument,
              "dense: " + std::to_string(x.rows()) + " x " + std::to_string(x.cols()) +
                  " through weights of " + std::to_string(w.inputs()) + " inputs and " +
                  std::to_string(w.outputs()) + " outputs into " + std::to_string(y.rows()) +
                  " x " + std::to_string(y.cols()));
}

// The tile of panel `a_panel`, whose first row is `row`, and panel q of the weights.
void write_tile(const float* a_panel, std::size_t height, const PackedWeights& w, std::size_t q,
                std::size_t row, MatrixView<float> y, Activation after) {
  const MatmulKernels& kernels = matmul_kernels();
  const auto product = kernels.low_product[height];
  const std::size_t col = q * kernels.b_rows;
  const std::size_t rows = std::min(height, y.rows() - row);
  const std::size_t cols = std::min(kernels.b_rows, y.cols() - col);
  if (rows == height && cols == kernels.b_rows) {
    product(a_panel, w.panel(q), w.inputs(), w.bias() + col, y.row(row) + col,
            y.stride_bytes() / sizeof(float));
  } else {
    alignas(64) float tile[kLargestTile];
    product(a_panel, w.panel(q), w.inputs(), w.bias() + col, tile, kernels.b_rows);
    for (std::size_t i = 0; i < rows; ++i) {
      std::memcpy(y.row(row + i) + col, tile + i * kernels.b_rows, cols * sizeof(float));
    }
  }
  if (after == Activation::identity) return;
  for (std::size_t i = 0; i < rows; ++i) {
    float* part = y.row(row + i) + col;
    activation_kernels().activate(after, part, cols, part);
  }
}

}  // namespace

PackedWeights::PackedWeights(MatrixView<const float> rows, const float* bias, Precision precision)
    : precision_(precision), outputs_(rows.rows()), inputs_(rows.cols()) {
  if (precision != Precision::f32) {
    narrow_ = NarrowWeights(rows, bias, precision);
    return;
  }
  const MatmulKernels& kernels = matmul_kernels();
  const std::size_t panels = ceil_div(outputs_, kernels.b_rows);
  panels_ = Matrix<float>(panels, kernels.b_rows * inputs_);
  bias_ = Matrix<float>(1, panels * kernels.b_rows);
  for (std::size_t p = 0; p < panels; ++p) {
    const std::size_t first = p * kernels.b_rows;
    kernels.pack_b(rows.row(first), rows.stride_bytes() / sizeof(float),
                   std::min(kernels.b_rows, outputs_ - first), inputs_, panels_.row(p));
  }
  if (bias != nullptr) std::copy_n(bias, outputs_, bias_.data());
}

void dense(const Control& given, MatrixView<const float> x, const PackedWeights& w,
           MatrixView<float> y, DenseScratch& scratch, Activation after) {
  check_shapes(x, w, y);
  if (y.empty()) return;
  Control control = without_progress(given);
  const bool narrow = w.precision() != Precision::f32;
  const std::size_t worth = narrow ? kWorthThreadsNarrow : kWorthThreads;
  if (x.rows() * x.cols() * y.cols() < worth) control.threads = 1;
  if (narrow) {
    return narrow_dense(level(), control, x, w.narrow(), y, after, scratch.narrow);
  }
  const MatmulKernels& kernels = matmul_kernels();
  const std::size_t height = kernels.height(x.rows()), panels = ceil_div(x.rows(), height);
  const std::size_t panel_floats = height * x.cols();
  if (scratch.packed.rows() < panels || scratch.packed.cols() < panel_floats) {
    scratch.packed = Matrix<float>(std::max(panels, scratch.packed.rows()),
                                   std::max(panel_floats, scratch.packed.cols()));
  }
  parallel_for(control, panels, 8, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t p = begin; p < end; ++p) {
      const std::size_t row = p * height;
      kernels.pack_low(x.row(row), x.stride_bytes() / sizeof(float),
                       std::min(height, x.rows() - row), x.cols(), height, scratch.packed.row(p));
    }
  });
  const std::size_t block = std::max<std::size_t>(1, kBlockBytes / (panel_floats * sizeof(float)));
  const std::size_t workers = std::min(thread_count(control), w.panels());
  const std::size_t grain = workers == 1 ? w.panels() : ceil_div(w.panels(), 4 * workers);
  parallel_for(control, w.panels(), grain, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t first = 0; first < panels; first += block) {
      for (std::size_t q = begin; q < end; ++q) {
        for (std::size_t p = first; p < std::min(panels, first + block); ++p) {
          write_tile(scratch.packed.row(p), height, w, q, p * height, y, after);
        }
      }
    }
  });
}

}  // namespace kith::simd
