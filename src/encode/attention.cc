#include "encode/attention.h"

#include <algorithm>
#include <cstring>

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

// The score of a token that another doesn't see: its weight is too small to count in a sum.
constexpr float kHidden = -1e30f;

// Attention of one sequence under one key-value head. A block of tokens' scores are laid out a row
// a key, a column a token: softmax then runs down the columns, many at once, and the weights stand
// as the product with the values takes them.
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
        regroups_(!input.grouped.empty() && length_ > input.context->trained),
        s_(scratch),
        out_(out) {}

  void run() {
    const std::size_t panels = ceil_div(length_, height_);
    ensure(s_.values, ceil_div(dim_, width_), width_ * length_);
    ensure(s_.scores, 1, (panels * height_ + 1) * width_);  // a row more: see add_values
    ensure(s_.inverses, 1, width_);
    ensure(s_.tile, kernels_.a_rows, width_);
    pack_keys(input_.qkv, s_.plain);
    if (regroups_) {
      ensure(s_.far, height_, width_);
      pack_keys(input_.grouped, s_.grouped);
      pack_keys(input_.shifted, s_.shifted);
    }
    pack_values();
    const std::size_t group = config_.heads / config_.kv_heads;
    for (std::size_t head = kv_head_ * group; head < (kv_head_ + 1) * group; ++head) {
      for (std::size_t row = 0; row < length_; row += width_) attend_block(head, row);
    }
  }

 private:
  using Packed = AttentionScratch::Packed;

  const float* at(MatrixView<const float> rows, std::size_t token, std::size_t column) const {
    return rows.row(first_ + token) + column;
  }
  static std::size_t stride(MatrixView<const float> rows) {
    return rows.stride_bytes() / sizeof(float);
  }
  std::size_t key_column() const { return (config_.heads + kv_head_) * dim_; }
  std::size_t value_column() const { return (config_.heads + config_.kv_heads + kv_head_) * dim_; }
  float* scores_of(std::size_t key) const { return s_.scores.data() + key * width_; }

  void pack_keys(MatrixView<const float> rows, Packed& packed) const {
    ensure(packed.keys, ceil_div(length_, height_), height_ * dim_);
    for (std::size_t p = 0; p * height_ < length_; ++p) {
      kernels_.pack_low(at(rows, p * height_, key_column()), stride(rows),
                        std::min(height_, length_ - p * height_), dim_, height_,
                        packed.keys.row(p));
    }
  }
  void pack_queries(MatrixView<const float> rows, std::size_t head, std::size_t row,
                    Packed& packed) const {
    ensure(packed.queries, 1, width_ * dim_);
    kernels_.pack_b(at(rows, row, head * dim_), stride(rows), std::min(width_, length_ - row), dim_,
                    packed.queries.data());
  }

  // Panel c has components [c * width, ...) of every token.
  void pack_values() {
    for (std::size_t c = 0; c * width_ < dim_; ++c) {
      const std::size_t cols = std::min(width_, dim_ - c * width_);
      float* panel = s_.values.row(c);
      for (std::size_t t = 0; t < length_; ++t) {
        std::memcpy(panel + t * width_, at(input_.qkv, t, value_column() + c * width_),
                    cols * sizeof(float));
        std::memset(panel + t * width_ + cols, 0, (width_ - cols) * sizeof(float));
      }
    }
  }

  // The keys that a token sees.
  std::size_t first_seen(std::size_t token) const {
    return token > input_.plan->back ? token - input_.plan->back : 0;
  }
  std::size_t end_seen(std::size_t token) const {
    return input_.plan->forward < length_ - token ? token + input_.plan->forward + 1 : length_;
  }
  // The tokens that see a key.
  std::size_t first_seeing(std::size_t key) const {
    return key > input_.plan->forward ? key - input_.plan->forward : 0;
  }
  std::size_t end_seeing(std::size_t key) const {
    return input_.plan->back < length_ - key ? key + input_.plan->back + 1 : length_;
  }

  // Tokens [row, row + width) of one head: scores of the panels of keys that any of them sees,
  // their softmax, the sums of values.
  void attend_block(std::size_t head, std::size_t row) {
    const std::size_t rows = std::min(width_, length_ - row);
    const std::size_t begin = first_seen(row) / height_ * height_;
    const std::size_t end = end_seen(row + rows - 1);
    pack_queries(input_.qkv, head, row, s_.plain);
    if (regroups_) {
      pack_queries(input_.grouped, head, row, s_.grouped);
      pack_queries(input_.shifted, head, row, s_.shifted);
    }
    for (std::size_t key = begin; key < end; key += height_) {
      if (regroups_) {
        score_regrouped(row, key);
      } else {
        score(s_.plain, s_.plain, key, scores_of(key));
      }
    }
    if (!input_.distance_bias.empty()) add_bias(head, row, rows, begin, end);
    hide(row, rows, begin, end, kHidden);
    activations_.exp_columns(scores_of(begin), end - begin, width_, s_.inverses.data());
    hide(row, rows, begin, end, 0);
    const std::size_t part = kernels_.height(rows);
    for (std::size_t i = 0; i < rows; i += part) {
      add_values(head, row + i, i, std::min(part, rows - i), part, begin, end);
    }
  }

  // A panel of keys under the block's queries.
  void score(const Packed& queries, const Packed& keys, std::size_t key, float* to) const {
    kernels_.low_product[height_](keys.keys.row(key / height_), height_, queries.queries.data(),
                                  dim_, nullptr, to, width_);
  }

  // The same under SelfExtend: plain products within the window; behind a token, and ahead of it,
  // those of the grouped with the shifted.
  void score_regrouped(std::size_t row, std::size_t key) const {
    const std::size_t window = input_.context->window, end = row + width_;
    const std::size_t last = std::min(key + height_, length_) - 1;
    if (row >= last + window) return score(s_.shifted, s_.grouped, key, scores_of(key));
    if (key + 1 >= end + window) return score(s_.grouped, s_.shifted, key, scores_of(key));
    score(s_.plain, s_.plain, key, scores_of(key));
    if (end > key + window) {
      score(s_.shifted, s_.grouped, key, s_.far.data());
      for (std::size_t j = key; j <= last; ++j) {
        take_far(j - key, j, std::clamp(j + window, row, end) - row, width_);
      }
    }
    if (last >= row + window) {
      score(s_.grouped, s_.shifted, key, s_.far.data());
      for (std::size_t j = std::max(key, window); j <= last; ++j) {
        take_far(j - key, j, 0, std::clamp(j - window + 1, row, end) - row);
      }
    }
  }

  // Scores of tokens [from, to) of the block with a key that is beyond their window.
  void take_far(std::size_t in_panel, std::size_t key, std::size_t from, std::size_t to) const {
    const float* far = s_.far.data() + in_panel * width_;
    std::copy(far + from, far + to, scores_of(key) + from);
  }

  void add_bias(std::size_t head, std::size_t row, std::size_t rows, std::size_t begin,
                std::size_t end) const {
    const float* middle = input_.distance_bias.row(head) + input_.distance_bias.cols() / 2;
    for (std::size_t key = begin; key < end; ++key) {
      activations_.add(middle + row - key, rows, scores_of(key));
    }
  }

  // Puts `value` where a token doesn't see a key.
  void hide(std::size_t row, std::size_t rows, std::size_t begin, std::size_t end,
            float value) const {
    if (input_.plan->back == kUnlimited && input_.plan->forward == kUnlimited) return;
    for (std::size_t key = begin; key < end; ++key) {
      const std::size_t from = std::clamp(first_seeing(key), row, row + rows);
      const std::size_t to = std::clamp(end_seeing(key), from, row + rows);
      std::fill_n(scores_of(key), from - row, value);
      std::fill(scores_of(key) + (to - row), scores_of(key) + rows, value);
    }
  }

  // Results of `count` tokens from `token` on, whose weights stand from column `column` on. The
  // product reads `part` columns, of which the last may lie behind a row's end.
  void add_values(std::size_t head, std::size_t token, std::size_t column, std::size_t count,
                  std::size_t part, std::size_t begin, std::size_t end) {
    for (std::size_t c = 0; c * width_ < dim_; ++c) {
      kernels_.low_product[part](scores_of(begin) + column, width_,
                                 s_.values.row(c) + begin * width_, end - begin, nullptr,
                                 s_.tile.data(), s_.tile.stride_bytes() / sizeof(float));
      const std::size_t cols = std::min(width_, dim_ - c * width_);
      for (std::size_t i = 0; i < count; ++i) {
        const float* from = s_.tile.row(i);
        float* to = out_.row(first_ + token + i) + head * dim_ + c * width_;
        const float inverse = s_.inverses(0, column + i);
        for (std::size_t x = 0; x < cols; ++x) to[x] = from[x] * inverse;
      }
    }
  }

  const simd::MatmulKernels& kernels_ = simd::matmul_kernels();
  const simd::ActivationKernels& activations_ = simd::activation_kernels();
  const std::size_t width_ = kernels_.b_rows;  // tokens in a block, components in a panel of values
  const Config& config_;
  const AttentionInput& input_;
  const std::size_t first_, length_;
  const std::size_t height_;  // keys in a panel
  const std::size_t dim_, kv_head_;
  const bool regroups_;  // whether far tokens are scored at grouped positions
  AttentionScratch& s_;
  MatrixView<float> out_;
};

}  // namespace

void attend(WorkerTeam& team, bool shared, const Config& config, const AttentionInput& input,
            std::vector<AttentionScratch>& scratch, MatrixView<float> out) {
  const std::size_t sequences = input.begin->size() - 1;
  team.run(shared, sequences * config.kv_heads, 1,
           [&](std::size_t begin, std::size_t end, std::size_t worker) {
             for (std::size_t task = begin; task < end; ++task) {
               HeadGroup(config, input, task / config.kv_heads, task % config.kv_heads,
                         scratch[worker], out)
                   .run();
             }
           });
}

}  // namespace kith::encode
