// Softmax attention within each of several sequences that lie one behind the other.
#pragma once

#include <cstddef>
#include <vector>

#include "base/parallel.h"
#include "encode/config.h"
#include "kith/matrix.h"

namespace kith::encode {

// Sequence s is rows [begin[s], begin[s + 1]).
using Bounds = std::vector<std::size_t>;

struct AttentionInput {
  // Queries of all heads (scaled), then keys and values of all key-value heads.
  MatrixView<const float> qkv;
  std::size_t head_dim;
  const Bounds* begin;
  const LayerPlan* plan;
  // As distance_bias() gives it for a length of at least the longest sequence's, or empty.
  MatrixView<const float> distance_bias;
  // SelfExtend: queries and keys at grouped positions, and shifted behind the window (context.h),
  // for sequences longer than context->trained; or empty.
  MatrixView<const float> grouped = {}, shifted = {};
  const ContextPlan* context = nullptr;
};

// Memory that attention reuses: one a worker.
struct AttentionScratch {
  struct Packed {
    Matrix<float> keys, queries;
  };
  Packed plain, grouped, shifted;
  Matrix<float> values, scores, inverses, tile, far;
};

// out: one row a token, the heads' results side by side. `scratch` has at least
// team.threads() elements. Work is `shared` out by sequence and key-value head; a sequence's result
// depends on its own rows alone.
void attend(WorkerTeam& team, bool shared, const Config& config, const AttentionInput& input,
            std::vector<AttentionScratch>& scratch, MatrixView<float> out);

}  // namespace kith::encode
