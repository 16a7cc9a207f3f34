#include "encode/self_attention_pooling.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "encode/attention.h"
#include "encode/pooling.h"
#include "simd/activations.h"

namespace kith::encode {
namespace {

constexpr float kEpsilon = 1e-5f;  // torch's LayerNorm

}  // namespace

HeadSizes read_self_attention_config(const Json& json, std::size_t width) {
  expect_prompt_included(json);
  return read_head_sizes(json, width);
}

SelfAttentionPooling::SelfAttentionPooling(const HeadSizes& sizes, ModuleTensors& tensors)
    : sizes_(sizes), norm_(tensors.norm("norm", sizes.width)) {
  const std::size_t inner = sizes.inner();
  Matrix<float> together(3 * inner, sizes.width);
  std::size_t at = 0;
  for (const char* name : {"to_q.weight", "to_k.weight", "to_v.weight"}) {
    const Matrix<float> part = tensors.read(name, inner, sizes.width);
    for (std::size_t i = 0; i < inner; ++i) {
      std::memcpy(together.row(at++), part.row(i), sizes.width * sizeof(float));
    }
  }
  qkv_ = simd::PackedWeights(together, nullptr);
  to_out_ = tensors.dense("to_out", sizes.width, inner, false);
}

std::string SelfAttentionPooling::description() const {
  return "self-attention pooling of " + std::to_string(sizes_.heads) + " heads";
}

void SelfAttentionPooling::pool(WorkerTeam& team, MatrixView<const float> states,
                                const TokenBatch& batch, MatrixView<float> out) const {
  const simd::ActivationKernels& kernels = simd::activation_kernels();
  const std::size_t rows = states.rows(), width = sizes_.width, inner = sizes_.inner();
  const float scale = 1 / std::sqrt(static_cast<float>(sizes_.head_dim));
  simd::DenseScratch scratch;
  Matrix<float> normed(rows, width), qkv(rows, 3 * inner), attended(rows, inner);
  for (std::size_t i = 0; i < rows; ++i) {
    kernels.layer_norm(states.row(i), width, norm_.scale.data(), norm_.shift.data(), kEpsilon,
                       normed.row(i));
  }
  simd::dense(team, normed, qkv_, qkv, scratch);
  for (std::size_t i = 0; i < rows; ++i) kernels.scale(scale, inner, qkv.row(i));
  Config heads;
  heads.heads = heads.kv_heads = sizes_.heads;
  const LayerPlan plan;  // every token sees all
  std::vector<AttentionScratch> memory(team.threads());
  attend(team, team.threads() > 1, heads,
         {.qkv = qkv,
          .head_dim = sizes_.head_dim,
          .begin = &batch.begin,
          .plan = &plan,
          .distance_bias = {}},
         memory, attended);
  // The last product is linear, so it takes the mean over tokens instead of each token.
  Matrix<float> means(batch.sequences(), inner), added(batch.sequences(), width);
  for (std::size_t s = 0; s < batch.sequences(); ++s) {
    const std::size_t begin = batch.begin[s], count = batch.begin[s + 1] - begin;
    mean_of(states.slice(begin, count), out.row(s));
    mean_of(attended.view().slice(begin, count), means.row(s));
  }
  simd::dense(team, means, to_out_, added, scratch);
  for (std::size_t s = 0; s < means.rows(); ++s) kernels.add(added.row(s), width, out.row(s));
}

}  // namespace kith::encode
