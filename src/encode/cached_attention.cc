#include "encode/cached_attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace kith::encode {
namespace {

void attend_head(const Config& config, const AttentionInput& input, std::size_t layer,
                 std::size_t sequence, std::size_t kv_head, KeyValueCache& cache,
                 MatrixView<float> out) {
  const std::size_t dim = input.head_dim, most = cache.most();
  const std::size_t first = (*input.begin)[sequence], end = (*input.begin)[sequence + 1];
  const std::size_t past = cache.length(sequence), group = config.heads / config.kv_heads;
  float* keys = cache.keys(layer, sequence, kv_head);
  float* values = cache.values(layer, sequence, kv_head);
  const std::size_t key_column = (config.heads + kv_head) * dim;
  const std::size_t value_column = key_column + config.kv_heads * dim;
  for (std::size_t i = first; i < end; ++i) {
    const std::size_t at = past + i - first;
    const float* row = input.qkv.row(i);
    for (std::size_t d = 0; d < dim; ++d) keys[d * most + at] = row[key_column + d];
    std::copy_n(row + value_column, dim, values + at * dim);
  }
  std::vector<float> scores(past + end - first);
  for (std::size_t i = first; i < end; ++i) {
    const std::size_t seen_end = past + i - first + 1;
    const std::size_t seen = seen_end - 1 > input.plan->back ? seen_end - 1 - input.plan->back : 0;
    for (std::size_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
      const float* query = input.qkv.row(i) + h * dim;
      std::fill(scores.begin() + static_cast<std::ptrdiff_t>(seen),
                scores.begin() + static_cast<std::ptrdiff_t>(seen_end), 0.0f);
      for (std::size_t d = 0; d < dim; ++d) {
        const float* component = keys + d * most;
        for (std::size_t j = seen; j < seen_end; ++j) scores[j] += query[d] * component[j];
      }
      float highest = scores[seen];
      for (std::size_t j = seen; j < seen_end; ++j) highest = std::max(highest, scores[j]);
      float* to = out.row(i) + h * dim;
      std::fill_n(to, dim, 0.0f);
      float sum = 0;
      for (std::size_t j = seen; j < seen_end; ++j) {
        const float weight = std::exp(scores[j] - highest);
        sum += weight;
        const float* value = values + j * dim;
        for (std::size_t d = 0; d < dim; ++d) to[d] += weight * value[d];
      }
      for (std::size_t d = 0; d < dim; ++d) to[d] /= sum;
    }
  }
}

}  // namespace

void attend_cached(WorkerTeam& team, bool shared, const Config& config, const AttentionInput& input,
                   std::size_t layer, KeyValueCache& cache, MatrixView<float> out) {
  const std::size_t sequences = input.begin->size() - 1;
  team.run(shared, sequences * config.kv_heads, 1,
           [&](std::size_t begin, std::size_t end, std::size_t) {
             for (std::size_t task = begin; task < end; ++task) {
               attend_head(config, input, layer, task / config.kv_heads, task % config.kv_heads,
                           cache, out);
             }
           });
}

}  // namespace kith::encode
