// A pooling that reads every layer: trained latent vectors ask what the layers, or the last one's
// tokens, hold (cross_attention.h, with the latents as rows), then the mean over latents. Tang and
// Yang, "Pooling and attention: what are effective designs for LLM-based embedding models?", 2024.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/parallel.h"
#include "encode/cross_attention.h"
#include "encode/transformer.h"
#include "json/json.h"
#include "kith/matrix.h"

namespace kith::encode {

struct LayerPoolingConfig {
  enum class Tokens : std::uint8_t { last, mean, all };
  bool all_layers = false;       // else the last alone
  Tokens tokens = Tokens::mean;  // what a layer gives: all: a vector a token
  std::size_t latents = 0;
  HeadSizes sizes;
};
// Of a module's config.json. Throws corrupt for sizes out of range or another width, unsupported
// for other words and for all layers with all tokens.
LayerPoolingConfig read_layer_pooling_config(const Json& json, std::size_t width);

class LayerPooling {
 public:
  // Reads `latents`, the block's tensors and, for all layers, `layer_weights`, a row a layer, which
  // is added to what that layer gives. Throws what ModuleTensors does, and corrupt, with both
  // numbers, for another number of layers than the model's.
  LayerPooling(const LayerPoolingConfig& config, std::size_t layers, ModuleTensors& tensors);

  bool reads_all_layers() const { return config_.all_layers; }
  std::string description() const;

  // Runs the batch and pools what its layers give as they come; `out`: a row a text. Layer 0, the
  // embeddings, counts for nothing; the last layer's states have passed the final norm.
  void pool(WorkerTeam& team, const TokenBatch& batch, const RunLayers& run,
            MatrixView<float> out) const;

 private:
  // What `layer` gives, which `states` are of: for each text one vector, in the given row.
  void take(MatrixView<const float> states, const TokenBatch& batch, std::size_t layer,
            Matrix<float>& taken) const;

  LayerPoolingConfig config_;
  CrossAttention block_;
  Matrix<float> latents_, queries_, layer_weights_;
};

}  // namespace kith::encode
