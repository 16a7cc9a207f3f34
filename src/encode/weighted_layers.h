// Token states as a weighted mean over layers, which a pooling then takes in place of the last
// layer's: sentence-transformers' WeightedLayerPooling.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "encode/module_tensors.h"
#include "encode/transformer.h"
#include "json/json.h"
#include "kith/matrix.h"

namespace kith::encode {

class WeightedLayers {
 public:
  // `layer_weights` of layers "layer_start" (0: the embeddings) to "num_hidden_layers", the
  // model's. Throws what ModuleTensors does, and corrupt for another width or number of layers, a
  // start beyond them and weights that sum to nothing.
  WeightedLayers(const Json& json, std::size_t width, std::size_t layers, ModuleTensors& tensors);

  std::string description() const;

  // sum of w_l h_l / sum of w_l for each token, the last layer's states as they leave the final
  // norm. Layers are added up as they come.
  Matrix<float> run(const TokenBatch& batch, const RunLayers& run) const;

 private:
  std::size_t start_ = 0, width_ = 0;
  std::vector<float> shares_;  // the weights over their sum
};

}  // namespace kith::encode
