// The block that learned poolings share: rows ask a context by attention and pass a gated
// feed-forward layer, each behind a LayerNorm and added to what went in. For rows X and a context C
//
//   [K, V] = LN_context(C) Wkv
//   H1 = X + softmax(LN(X) Wq transpose(K) / sqrt(head_dim)) V Wo     (each head by itself)
//   H2 = H1 + (a * GELU(g)) W2 + b2,  [a, g] = LN(H1) W1 + b1
//
// and what is wanted are means over rows of H2. Names of tensors are those that NV-Embed's authors
// published (Lee et al., "NV-Embed", 2024): cross_attend_blocks.0 and .1.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "encode/module_tensors.h"
#include "encode/weights.h"
#include "json/json.h"
#include "kith/matrix.h"
#include "simd/dense.h"

namespace kith::encode {

struct HeadSizes {
  std::size_t width = 0, heads = 0, head_dim = 0;
  std::size_t inner() const { return heads * head_dim; }
};
// "heads" and "head_dim" of a module's config.json, whose "word_embedding_dimension" must be
// `width`. Throws corrupt.
HeadSizes read_head_sizes(const Json& json, std::size_t width);

// Throws unsupported when the file says that prompts are left out, which this module can't do.
void expect_prompt_included(const Json& json);

struct RowRange {
  std::size_t begin, end;
};

class CrossAttention {
 public:
  // A context's keys and values, packed a head: keys as they are, values transposed.
  struct Context {
    std::vector<simd::PackedWeights> keys, values;
  };

  // Throws what ModuleTensors does.
  CrossAttention(ModuleTensors& tensors, const HeadSizes& sizes);

  std::size_t width() const { return sizes_.width; }

  // Wq of normed rows, scaled by 1 / sqrt(head_dim): rows x inner.
  Matrix<float> queries(WorkerTeam& team, MatrixView<const float> rows) const;
  // Wkv of a normed context: rows x 2 inner, keys in front. A row depends on its own alone, so
  // several texts' contexts may go through together.
  Matrix<float> keys_and_values(WorkerTeam& team, MatrixView<const float> context) const;
  // Some rows of that, at least one, as what queries are asked of.
  Context packed(MatrixView<const float> keys_and_values) const;

  // The heads' sums of values, side by side: queries.rows() x inner.
  Matrix<float> attend(WorkerTeam& team, MatrixView<const float> queries,
                       const Context& context) const;

  // out.row(t) becomes the mean of H2 over rows ranges[t], none of them empty; `attended` is what
  // attend() gave for the queries of `rows`.
  void finish(WorkerTeam& team, MatrixView<const float> rows, MatrixView<const float> attended,
              std::span<const RowRange> ranges, MatrixView<float> out) const;

 private:
  Matrix<float> normed(WorkerTeam& team, MatrixView<const float> rows, const Norm& norm) const;

  HeadSizes sizes_;
  Norm norm_, context_norm_, mlp_norm_;
  simd::PackedWeights to_q_, to_kv_, to_out_, up_, down_;
};

}  // namespace kith::encode
