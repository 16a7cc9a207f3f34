// The step from a batch's token states to a vector a text, whichever pooling a model has.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "encode/latent_pooling.h"
#include "encode/layer_pooling.h"
#include "encode/pooling.h"
#include "encode/self_attention_pooling.h"
#include "encode/weighted_layers.h"
#include "kith/control.h"
#include "kith/matrix.h"

namespace kith::encode {

// The transformer that a pooling stands behind.
struct PooledModel {
  std::size_t width = 0, layers = 0;
};

class PoolingStep {
 public:
  explicit PoolingStep(const PooledModel& model);  // the mean over tokens

  // Reads a module of modules.json, by the last word of its type, into its place: Pooling,
  // LatentPooling, LayerPooling, SelfAttentionPooling, or WeightedLayerPooling before one of these;
  // and NV-Embed's (nvembed.h), whose folder is the model's. Throws what their readers do, and
  // corrupt for a tensor that the module has no place for.
  void read(const std::string& kind, const std::string& folder);

  std::size_t dim() const;
  std::size_t parameters() const { return parameters_; }
  std::vector<std::string> descriptions() const;
  // The pooling, when it has no weights of its own and nothing stands before it; else null.
  const Pooling* plain() const { return mixed_ ? nullptr : std::get_if<Pooling>(&pooling_); }
  // Whether a layer's state alone is not enough.
  bool reads_all_layers() const;
  // Whether a text may be nothing but prompt.
  bool include_prompt() const;

  // Runs the batch and writes a row of dim() values a text.
  void pool(const Control& control, const TokenBatch& batch, const RunLayers& run,
            MatrixView<float> out) const;

 private:
  PooledModel model_;
  std::optional<WeightedLayers> mixed_;  // in place of the last layer's states
  std::variant<Pooling, LatentPooling, SelfAttentionPooling, LayerPooling> pooling_;
  std::size_t parameters_ = 0;
};

}  // namespace kith::encode
