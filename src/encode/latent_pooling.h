// NV-Embed's pooling (Lee et al., 2024): every token asks a dictionary of trained latent vectors
// (cross_attention.h, with tokens as rows and the latents as context), then the mean over tokens.
#pragma once

#include <cstddef>
#include <string>

#include "base/parallel.h"
#include "encode/cross_attention.h"
#include "encode/transformer.h"
#include "json/json.h"
#include "kith/matrix.h"

namespace kith::encode {

struct LatentConfig {
  std::size_t latents = 0;
  HeadSizes sizes;
  bool include_prompt = true;
};
// Of a module's config.json. Throws corrupt for sizes out of range or another width.
LatentConfig read_latent_config(const Json& json, std::size_t width);

class LatentPooling {
 public:
  // Reads `latents` and the block's tensors; throws what ModuleTensors does. Keys and values depend
  // on weights alone and are made here.
  LatentPooling(const LatentConfig& config, ModuleTensors& tensors);

  bool include_prompt() const { return config_.include_prompt; }
  std::string description() const;

  // `states`: a row a token of the batch; `out`: a row a text. Unless prompts are included their
  // tokens count for nothing; no text may be all prompt then.
  void pool(WorkerTeam& team, MatrixView<const float> states, const TokenBatch& batch,
            MatrixView<float> out) const;

 private:
  LatentConfig config_;
  CrossAttention block_;
  CrossAttention::Context latents_;
};

}  // namespace kith::encode
