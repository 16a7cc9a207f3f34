#include "simd/dense.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "kith/error.h"
#include "simd/dispatch.h"
#include "simd/matmul.h"

namespace kith::simd {
namespace {

// Packed rows of x that stay in a core's second-level cache while weights stream by.
constexpr std::size_t kBlockBytes = 1 << 20;
constexpr std::size_t kLargestTile = 14 * 48;
// Inputs that a sum runs over at a time, so that a panel's weights for them stay in a core's
// first-level cache while rows of x stream by.
constexpr std::size_t kDepth = 192;
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

// One layer on its way.
class DenseProduct {
 public:
  DenseProduct(MatrixView<const float> x, const PackedWeights& w, MatrixView<float> y,
               Activation after, DenseScratch& scratch)
      : x_(x),
        w_(w),
        y_(y),
        after_(after),
        height_(kernels_.height(x.rows())),
        panels_(ceil_div(x.rows(), height_)),
        packed_(scratch.packed) {
    const std::size_t floats = height_ * x.cols();
    if (packed_.rows() < panels_ || packed_.cols() < floats) {
      packed_ = Matrix<float>(std::max(panels_, packed_.rows()), std::max(floats, packed_.cols()));
    }
  }

  std::size_t panels() const { return panels_; }

  void pack(std::size_t p) {
    const std::size_t row = p * height_;
    kernels_.pack_low(x_.row(row), x_.stride_bytes() / sizeof(float),
                      std::min(height_, x_.rows() - row), x_.cols(), height_, packed_.row(p));
  }

  // Panels [begin, end) of the weights.
  void run(std::size_t begin, std::size_t end) const {
    const std::size_t panel_bytes = height_ * x_.cols() * sizeof(float);
    const std::size_t block = std::max<std::size_t>(1, kBlockBytes / panel_bytes);
    for (std::size_t first = 0; first < panels_; first += block) {
      const std::size_t last = std::min(panels_, first + block);
      for (std::size_t q = begin; q < end; ++q) {
        for (std::size_t k = 0; k < w_.inputs(); k += kDepth) {
          for (std::size_t p = first; p < last; ++p) run_tile(p, q, k);
        }
      }
    }
  }

 private:
  // The part that inputs from k on have in a tile. Tiles at an edge, which need a copy, take all
  // their inputs at once.
  void run_tile(std::size_t p, std::size_t q, std::size_t k) const {
    const std::size_t row = p * height_, col = q * kernels_.b_rows;
    const std::size_t rows = std::min(height_, y_.rows() - row);
    const std::size_t cols = std::min(kernels_.b_rows, y_.cols() - col);
    const std::size_t depth = std::min(kDepth, w_.inputs() - k);
    const std::size_t stride = y_.stride_bytes() / sizeof(float);
    const float* a = packed_.row(p) + k * height_;
    const float* b = w_.panel(q) + k * kernels_.b_rows;
    if (rows != height_ || cols != kernels_.b_rows) {
      if (k == 0) edge_tile(p, q, rows, cols);
    } else if (k == 0) {
      kernels_.low_product[height_](a, height_, b, depth, w_.bias() + col, y_.row(row) + col,
                                    stride);
    } else {
      kernels_.low_more[height_](a, height_, b, depth, y_.row(row) + col, stride);
    }
    if (after_ == Activation::identity || k + depth < w_.inputs()) return;
    for (std::size_t i = 0; i < rows; ++i) {
      float* part = y_.row(row + i) + col;
      activations_.activate(after_, part, cols, part);
    }
  }

  void edge_tile(std::size_t p, std::size_t q, std::size_t rows, std::size_t cols) const {
    const std::size_t col = q * kernels_.b_rows;
    alignas(64) float tile[kLargestTile];
    kernels_.low_product[height_](packed_.row(p), height_, w_.panel(q), w_.inputs(),
                                  w_.bias() + col, tile, kernels_.b_rows);
    for (std::size_t i = 0; i < rows; ++i) {
      std::memcpy(y_.row(p * height_ + i) + col, tile + i * kernels_.b_rows, cols * sizeof(float));
    }
  }

  const MatmulKernels& kernels_ = matmul_kernels();
  const ActivationKernels& activations_ = activation_kernels();
  const MatrixView<const float> x_;
  const PackedWeights& w_;
  const MatrixView<float> y_;
  const Activation after_;
  const std::size_t height_, panels_;
  Matrix<float>& packed_;
};

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

void dense(WorkerTeam& team, MatrixView<const float> x, const PackedWeights& w, MatrixView<float> y,
           DenseScratch& scratch, Activation after) {
  check_shapes(x, w, y);
  if (y.empty()) return;
  const bool narrow = w.precision() != Precision::f32;
  const std::size_t worth = narrow ? kWorthThreadsNarrow : kWorthThreads;
  const bool shared = x.rows() * x.cols() * y.cols() >= worth;
  if (narrow) {
    return narrow_dense(level(), team, shared, x, w.narrow(), y, after, scratch.narrow);
  }
  DenseProduct product(x, w, y, after, scratch);
  team.run(shared, product.panels(), 8, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t p = begin; p < end; ++p) product.pack(p);
  });
  team.run(shared, w.panels(), team.grain(shared, w.panels()),
           [&](std::size_t begin, std::size_t end, std::size_t) { product.run(begin, end); });
}

}  // namespace kith::simd
