#include "encode/cross_attention.h"

#include <algorithm>
#include <cmath>

#include "encode/pooling.h"
#include "simd/activations.h"

namespace kith::encode {
namespace {

constexpr float kEpsilon = 1e-5f;  // torch's LayerNorm, which the published code leaves as it is
constexpr std::size_t kExpansion = 4;  // of the feed-forward layer
constexpr std::size_t kRowGrain = 16;
// Values from which on it pays to hand work on rows to other threads.
constexpr std::size_t kWorthThreads = 32 << 10;
constexpr std::size_t kMostHeads = 1 << 12, kMostHeadDim = 1 << 16;

MatrixView<float> columns(MatrixView<float> rows, std::size_t first, std::size_t count) {
  return {rows.data() + first, rows.rows(), count, rows.stride_bytes()};
}
MatrixView<const float> columns(MatrixView<const float> rows, std::size_t first,
                                std::size_t count) {
  return {rows.data() + first, rows.rows(), count, rows.stride_bytes()};
}

// Calls body(i) for every row, over threads where it pays.
template <class Body>
void for_rows(WorkerTeam& team, MatrixView<const float> rows, const Body& body) {
  const bool shared = rows.rows() * rows.cols() >= kWorthThreads;
  team.run(shared, rows.rows(), kRowGrain, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) body(i);
  });
}

void softmax(float* x, std::size_t n) {
  const float most = *std::max_element(x, x + n);
  double sum = 0;
  for (std::size_t j = 0; j < n; ++j) sum += x[j] = std::exp(x[j] - most);
  simd::activation_kernels().scale(static_cast<float>(1 / sum), n, x);
}

}  // namespace

HeadSizes read_head_sizes(const Json& json, std::size_t width) {
  expect_width(json, width);
  return {.width = width,
          .heads = json.whole("heads", 1, kMostHeads),
          .head_dim = json.whole("head_dim", 1, kMostHeadDim)};
}

void expect_prompt_included(const Json& json) {
  if (json.boolean("include_prompt", true)) return;
  json.refuse("include_prompt", "true", ErrorCode::unsupported);
}

CrossAttention::CrossAttention(ModuleTensors& tensors, const HeadSizes& sizes) : sizes_(sizes) {
  const std::size_t width = sizes.width, inner = sizes.inner(), hidden = kExpansion * width;
  const std::string attention = "cross_attend_blocks.0.", mlp = "cross_attend_blocks.1.";
  norm_ = tensors.norm(attention + "norm", width);
  context_norm_ = tensors.norm(attention + "norm_context", width);
  to_q_ = tensors.dense(attention + "fn.to_q", inner, width, false);
  to_kv_ = tensors.dense(attention + "fn.to_kv", 2 * inner, width, false);
  to_out_ = tensors.dense(attention + "fn.to_out", width, inner, false);
  mlp_norm_ = tensors.norm(mlp + "norm", width);
  up_ = tensors.dense(mlp + "fn.net.0", 2 * hidden, width, true);
  down_ = tensors.dense(mlp + "fn.net.2", width, hidden, true);
}

Matrix<float> CrossAttention::normed(WorkerTeam& team, MatrixView<const float> rows,
                                     const Norm& norm) const {
  const simd::ActivationKernels& kernels = simd::activation_kernels();
  Matrix<float> out(rows.rows(), rows.cols());
  for_rows(team, rows, [&](std::size_t i) {
    kernels.layer_norm(rows.row(i), rows.cols(), norm.scale.data(), norm.shift.data(), kEpsilon,
                       out.row(i));
  });
  return out;
}

Matrix<float> CrossAttention::queries(WorkerTeam& team, MatrixView<const float> rows) const {
  const simd::ActivationKernels& kernels = simd::activation_kernels();
  simd::DenseScratch scratch;
  Matrix<float> out(rows.rows(), sizes_.inner());
  simd::dense(team, normed(team, rows, norm_), to_q_, out, scratch);
  const float scale = 1 / std::sqrt(static_cast<float>(sizes_.head_dim));
  for_rows(team, out, [&](std::size_t i) { kernels.scale(scale, out.cols(), out.row(i)); });
  return out;
}

Matrix<float> CrossAttention::keys_and_values(WorkerTeam& team,
                                              MatrixView<const float> context) const {
  simd::DenseScratch scratch;
  Matrix<float> out(context.rows(), 2 * sizes_.inner());
  simd::dense(team, normed(team, context, context_norm_), to_kv_, out, scratch);
  return out;
}

CrossAttention::Context CrossAttention::packed(MatrixView<const float> keys_and_values) const {
  const std::size_t dim = sizes_.head_dim;
  Context context;
  for (std::size_t head = 0; head < sizes_.heads; ++head) {
    context.keys.emplace_back(columns(keys_and_values, head * dim, dim), nullptr);
    const MatrixView<const float> values =
        columns(keys_and_values, sizes_.inner() + head * dim, dim);
    Matrix<float> turned(dim, values.rows());
    for (std::size_t i = 0; i < values.rows(); ++i) {
      for (std::size_t j = 0; j < dim; ++j) turned(j, i) = values(i, j);
    }
    context.values.emplace_back(turned, nullptr);
  }
  return context;
}

Matrix<float> CrossAttention::attend(WorkerTeam& team, MatrixView<const float> queries,
                                     const Context& context) const {
  const std::size_t dim = sizes_.head_dim;
  simd::DenseScratch scratch;
  Matrix<float> out(queries.rows(), sizes_.inner());
  Matrix<float> shares(queries.rows(), context.keys[0].outputs());
  for (std::size_t head = 0; head < sizes_.heads; ++head) {
    simd::dense(team, columns(queries, head * dim, dim), context.keys[head], shares, scratch);
    for_rows(team, shares, [&](std::size_t i) { softmax(shares.row(i), shares.cols()); });
    simd::dense(team, shares, context.values[head], columns(out.view(), head * dim, dim), scratch);
  }
  return out;
}

void CrossAttention::finish(WorkerTeam& team, MatrixView<const float> rows,
                            MatrixView<const float> attended, std::span<const RowRange> ranges,
                            MatrixView<float> out) const {
  const simd::ActivationKernels& kernels = simd::activation_kernels();
  const std::size_t width = sizes_.width, hidden = down_.inputs();
  simd::DenseScratch scratch;
  Matrix<float> h1(rows.rows(), width), gated(rows.rows(), 2 * hidden);
  simd::dense(team, attended, to_out_, h1, scratch);
  for_rows(team, h1, [&](std::size_t i) { kernels.add(rows.row(i), width, h1.row(i)); });
  simd::dense(team, normed(team, h1, mlp_norm_), up_, gated, scratch);
  for_rows(team, gated, [&](std::size_t i) {
    float* row = gated.row(i);
    kernels.gate(simd::Activation::gelu, row + hidden, row, hidden, row);
  });
  // The last product is linear, so it takes the mean over rows instead of each row.
  const MatrixView<const float> activated = columns(gated.view(), 0, hidden);
  Matrix<float> means(ranges.size(), hidden), added(ranges.size(), width);
  for (std::size_t t = 0; t < ranges.size(); ++t) {
    const auto [begin, end] = ranges[t];
    mean_of(h1.view().slice(begin, end - begin), out.row(t));
    mean_of(activated.slice(begin, end - begin), means.row(t));
  }
  simd::dense(team, means, down_, added, scratch);
  for (std::size_t t = 0; t < ranges.size(); ++t) kernels.add(added.row(t), width, out.row(t));
}

}  // namespace kith::encode
