#include "encode/attention.h"

#include <algorithm>
#include <cstring>

#include "base/parallel.h"
#include "simd/activations.h"
#include "simd/matmul.h"

namespace kith::encode {
namespace {

std::size_t ceil_div(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

void ensure(Matrix<float>& matrix, std::size_t rows, std::size_t cols) {
  if (matrix.rows() < rows || matrix.cols() < cols) {
    matrix = Matrix<float>(std::max(rows, matrix.rows()), std::max(cols, matrix.cols()));
  }
}

// Attention of one sequence under one key-value head.
class HeadGroup {
 public:
  HeadGroup(const Config& config, const AttentionInput& input, std::size_t sequence,
            std::size_t kv_head, AttentionScratch& scratch, MatrixView<float> out)
      : config_(config),
        input_(input),
        first_((*input.begin)[sequence]),
        length_((*input.begin)[sequence + 1] - first_),
        height_(kernels_.height(length_)),
        dim_(input.head_dim),
        kv_head_(kv_head),
        s_(scratch),
        out_(out) {}

  void run() {
    const std::size_t padded = ceil_div(length_, width_) * width_;
    ensure(s_.keys, padded / width_, width_ * dim_);
    ensure(s_.values, ceil_div(dim_, width_), width_ * length_);
    ensure(s_.queries, 1, height_ * dim_);
    ensure(s_.scores, height_, padded);
    ensure(s_.weights, 1, height_ * length_);
    ensure(s_.tile, height_, width_);
    pack_keys();
    pack_values();
    const std::size_t group = config_.heads / config_.kv_heads;
    for (std::size_t head = kv_head_ * group; head < (kv_head_ + 1) * group; ++head) {
      for (std::size_t row = 0; row < length_; row += height_) attend_rows(head, row);
    }
  }

 private:
  const float* at(std::size_t token, std::size_t column) const {
    return input_.qkv.row(first_ + token) + column;
  }
  std::size_t stride() const { return input_.qkv.stride_bytes() / sizeof(float); }
  std::size_t key_column() const { return (config_.heads + kv_head_) * dim_; }
  std::size_t value_column() const { return (config_.heads + config_.kv_heads + kv_head_) * dim_; }

  void pack_keys() {
    for (std::size_t p = 0; p * width_ < length_; ++p) {
      kernels_.pack_b(at(p * width_, key_column()), stride(),
                      std::min(width_, length_ - p * width_), dim_, s_.keys.row(p));
    }
  }

  // Panels of the transpose: panel c has components [c * width, ...) of every token.
  void pack_values() {
    for (std::size_t c = 0; c * width_ < dim_; ++c) {
      const std::size_t cols = std::min(width_, dim_ - c * width_);
      float* panel = s_.values.row(c);
      for (std::size_t t = 0; t < length_; ++t) {
        std::memcpy(panel + t * width_, at(t, value_column() + c * width_), cols * sizeof(float));
        std::memset(panel + t * width_ + cols, 0, (width_ - cols) * sizeof(float));
      }
    }
  }

  std::size_t first_seen(std::size_t token) const {
    return token > input_.plan->back ? token - input_.plan->back : 0;
  }
  std::size_t end_seen(std::size_t token) const {
    return input_.plan->forward < length_ - token ? token + input_.plan->forward + 1 : length_;
  }

  // Tokens [row, row + height) of one head: scores of the panels of keys that any of them sees,
  // then each row's softmax over what it sees, then the sum of values.
  void attend_rows(std::size_t head, std::size_t row) {
    const std::size_t rows = std::min(height_, length_ - row);
    const std::size_t begin = first_seen(row) / width_ * width_, end = end_seen(row + rows - 1);
    const auto product = kernels_.low_product[height_];
    kernels_.pack_low(at(row, head * dim_), stride(), rows, dim_, height_, s_.queries.data());
    const std::size_t score_stride = s_.scores.stride_bytes() / sizeof(float);
    for (std::size_t key = begin; key < end; key += width_) {
      product(s_.queries.data(), s_.keys.row(key / width_), dim_, nullptr, s_.scores.data() + key,
              score_stride);
    }
    for (std::size_t i = 0; i < rows; ++i) weigh(head, row + i, begin, end, s_.scores.row(i));
    kernels_.pack_low(s_.scores.data() + begin, score_stride, rows, end - begin, height_,
                      s_.weights.data());
    for (std::size_t c = 0; c * width_ < dim_; ++c) {
      product(s_.weights.data(), s_.values.row(c) + begin * width_, end - begin, nullptr,
              s_.tile.data(), s_.tile.stride_bytes() / sizeof(float));
      const std::size_t cols = std::min(width_, dim_ - c * width_);
      for (std::size_t i = 0; i < rows; ++i) {
        std::memcpy(out_.row(first_ + row + i) + head * dim_ + c * width_, s_.tile.row(i),
                    cols * sizeof(float));
      }
    }
  }

  // From scores to weights, 0 for tokens in [begin, end) that this one doesn't see.
  void weigh(std::size_t head, std::size_t token, std::size_t begin, std::size_t end,
             float* scores) const {
    const std::size_t from = first_seen(token), to = end_seen(token);
    if (!input_.distance_bias.empty()) {
      const std::size_t middle = input_.distance_bias.cols() / 2;
      activations_.add(input_.distance_bias.row(head) + middle + from - token, to - from,
                       scores + from);
    }
    activations_.softmax(scores + from, to - from);
    std::fill(scores + begin, scores + from, 0.0f);
    std::fill(scores + to, scores + end, 0.0f);
  }

  const simd::MatmulKernels& kernels_ = simd::matmul_kernels();
  const simd::ActivationKernels& activations_ = simd::activation_kernels();
  const std::size_t width_ = kernels_.b_rows;  // of a panel of keys or of values
  const Config& config_;
  const AttentionInput& input_;
  const std::size_t first_, length_;
  const std::size_t height_;  // queries at once
  const std::size_t dim_, kv_head_;
  AttentionScratch& s_;
  MatrixView<float> out_;
};

}  // namespace

void attend(const Control& control, const Config& config, const AttentionInput& input,
            std::vector<AttentionScratch>& scratch, MatrixView<float> out) {
  const std::size_t sequences = input.begin->size() - 1;
  parallel_for(control, sequences * config.kv_heads, 1,
               [&](std::size_t begin, std::size_t end, std::size_t worker) {
                 for (std::size_t task = begin; task < end; ++task) {
                   HeadGroup(config, input, task / config.kv_heads, task % config.kv_heads,
                             scratch[worker], out)
                       .run();
                 }
               });
}

}  // namespace kith::encode
