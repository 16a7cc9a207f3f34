// One more self-attention block over a text's tokens, then their mean: what NV-Embed's authors
// compare their latents with (Lee et al., 2024). For token states X of a text
//
//   H = X + softmax(LN(X) Wq transpose(LN(X) Wk) / sqrt(head_dim)) LN(X) Wv Wo
#pragma once

#include <cstddef>
#include <string>

#include "base/parallel.h"
#include "encode/cross_attention.h"
#include "encode/transformer.h"
#include "json/json.h"
#include "kith/matrix.h"

namespace kith::encode {

class SelfAttentionPooling {
 public:
  // Tensors: norm.weight and .bias [width], to_q.weight, to_k.weight and to_v.weight [inner,
  // width], to_out.weight [width, inner]. Throws what ModuleTensors does.
  SelfAttentionPooling(const HeadSizes& sizes, ModuleTensors& tensors);

  std::string description() const;

  // `states`: a row a token of the batch; `out`: a row a text.
  void pool(WorkerTeam& team, MatrixView<const float> states, const TokenBatch& batch,
            MatrixView<float> out) const;

 private:
  HeadSizes sizes_;
  Norm norm_;
  simd::PackedWeights qkv_, to_out_;
};

// Of a module's config.json. Throws as read_head_sizes and expect_prompt_included do.
HeadSizes read_self_attention_config(const Json& json, std::size_t width);

}  // namespace kith::encode
