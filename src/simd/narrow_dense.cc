#include "simd/narrow_dense.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kith/half.h"
#include "simd/tables.h"

namespace kith::simd {
namespace {

// Rows of x that stay in a core's second-level cache while weights stream by.
constexpr std::size_t kBlockBytes = 1 << 20;
constexpr std::size_t kRowGrain = 16;
constexpr float kMostByte = 127;

std::size_t round_up(std::size_t a, std::size_t b) { return (a + b - 1) / b * b; }

// One layer on its way.
class NarrowProduct {
 public:
  NarrowProduct(Level level, MatrixView<const float> x, const NarrowWeights& w, MatrixView<float> y,
                Activation after, NarrowScratch& scratch)
      : level_(level),
        kernels_(narrow_kernels(level)),
        around_(narrow_row_kernels(level)),
        x_(x),
        w_(w),
        y_(y),
        after_(after),
        s_(scratch) {
    const std::size_t rows = round_up(x.rows(), kTileRows);
    // A group more than needed keeps rows from lying a power of two apart, in the same cache sets.
    const std::size_t words = w.words() + kGroupWords;
    if (s_.words.rows() < rows || s_.words.cols() < words) {
      s_.words =
          Matrix<std::uint32_t>(std::max(rows, s_.words.rows()), std::max(words, s_.words.cols()));
    }
    s_.scales.resize(rows);
  }

  // What lies behind a row's values in its last group may be left from a wider layer.
  void convert(std::size_t i) {
    auto* row = reinterpret_cast<unsigned char*>(s_.words.row(i));
    const bool bytes = w_.precision() == Precision::int8;
    const std::size_t used = x_.cols() * (bytes ? 1 : 2);
    if (bytes) {
      s_.scales[i] = around_.to_bytes(x_.row(i), x_.cols(), row);
    } else {
      tables_for(level_).from_float[index_of(ElementType::bf16)](x_.row(i), x_.cols(), row);
    }
    std::memset(row + used, 0, 4 * w_.words() - used);
  }

  void run_panels(std::size_t begin, std::size_t end) const {
    const NarrowSession session(kernels_);
    const std::size_t tile_bytes = kTileRows * 4 * w_.words();
    const std::size_t block = std::max<std::size_t>(1, kBlockBytes / tile_bytes) * kTileRows;
    for (std::size_t first = 0; first < x_.rows(); first += block) {
      const std::size_t last = std::min(x_.rows(), first + block);
      for (std::size_t p = begin; p < end; ++p) {
        for (std::size_t row = first; row < last; row += kTileRows) run_tile(p, row);
      }
    }
  }

 private:
  void run_tile(std::size_t p, std::size_t row) const {
    const std::size_t rows = std::min(kTileRows, y_.rows() - row), col = p * kTileOutputs;
    const std::size_t cols = std::min(kTileOutputs, y_.cols() - col);
    alignas(64) float whole[kTileRows * kTileOutputs];
    const bool direct = cols == kTileOutputs;
    float* to = direct ? y_.row(row) + col : whole;
    const std::size_t stride = direct ? y_.stride_bytes() / sizeof(float) : kTileOutputs;
    if (w_.precision() == Precision::int8) {
      alignas(64) std::int32_t sums[kTileRows * kTileOutputs];
      kernels_.bytes(s_.words.row(row), s_.words.stride_bytes(), rows, w_.panel(p), w_.words(),
                     sums);
      around_.finish_bytes(sums, rows, s_.scales.data() + row, w_.scales() + col, w_.totals() + col,
                           w_.bias() + col, to, stride);
    } else {
      alignas(64) float sums[kTileRows * kTileOutputs];
      kernels_.bf16(s_.words.row(row), s_.words.stride_bytes(), rows, w_.panel(p), w_.words(),
                    sums);
      around_.finish_bf16(sums, rows, w_.bias() + col, to, stride);
    }
    for (std::size_t i = 0; i < rows; ++i) {
      float* out = y_.row(row + i) + col;
      if (!direct) std::memcpy(out, whole + i * kTileOutputs, cols * sizeof(float));
      if (after_ != Activation::identity) activations_.activate(after_, out, cols, out);
    }
  }

  const Level level_;
  const NarrowKernels kernels_;
  const NarrowRowKernels& around_;
  const ActivationKernels& activations_ = activation_kernels();
  const MatrixView<const float> x_;
  const NarrowWeights& w_;
  const MatrixView<float> y_;
  const Activation after_;
  NarrowScratch& s_;
};

}  // namespace

NarrowWeights::NarrowWeights(MatrixView<const float> rows, const float* bias, Precision precision)
    : precision_(precision),
      outputs_(rows.rows()),
      inputs_(rows.cols()),
      words_(row_words(inputs_ * (precision == Precision::int8 ? 1 : 2))) {
  const std::size_t panels = (outputs_ + kTileOutputs - 1) / kTileOutputs;
  panels_ = Matrix<std::uint32_t>(panels, kTileOutputs * words_);
  bias_ = Matrix<float>(1, panels * kTileOutputs);
  scales_ = Matrix<float>(1, panels * kTileOutputs);
  totals_ = Matrix<float>(1, panels * kTileOutputs);
  for (std::size_t j = 0; j < outputs_; ++j) {
    precision == Precision::int8 ? pack_bytes(rows.row(j), j) : pack_bf16(rows.row(j), j);
  }
  if (bias != nullptr) std::copy_n(bias, outputs_, bias_.data());
}

void NarrowWeights::pack_bf16(const float* row, std::size_t output) {
  for (std::size_t i = 0; i < inputs_; i += 2) {
    const std::uint32_t low = BFloat16(row[i]).bits;
    const std::uint32_t high = i + 1 < inputs_ ? BFloat16(row[i + 1]).bits : 0;
    set(output, i / 2, low | high << 16);
  }
}

void NarrowWeights::pack_bytes(const float* row, std::size_t output) {
  float most = 0;
  for (std::size_t i = 0; i < inputs_; ++i) most = std::max(most, std::fabs(row[i]));
  const float scale = most / kMostByte;
  std::int32_t total = 0;
  for (std::size_t i = 0; i < inputs_; i += 4) {
    std::uint32_t word = 0;
    for (std::size_t b = 0; b < std::min<std::size_t>(4, inputs_ - i); ++b) {
      const float exact = scale > 0 ? row[i + b] / scale : 0;
      const auto code =
          static_cast<std::int32_t>(std::lrintf(std::clamp(exact, -kMostByte, kMostByte)));
      total += code;
      word |= (static_cast<std::uint32_t>(code) & 0xffu) << (8 * b);
    }
    set(output, i / 4, word);
  }
  scales_.data()[output] = scale;
  totals_.data()[output] = static_cast<float>(total);
}

void narrow_dense(Level level, WorkerTeam& team, bool shared, MatrixView<const float> x,
                  const NarrowWeights& w, MatrixView<float> y, Activation after,
                  NarrowScratch& scratch) {
  NarrowProduct product(level, x, w, y, after, scratch);
  team.run(shared, x.rows(), kRowGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) product.convert(i);
  });
  team.run(
      shared, w.panels(), team.grain(shared, w.panels()),
      [&](std::size_t begin, std::size_t end, std::size_t) { product.run_panels(begin, end); });
}

}  // namespace kith::simd
