// The transformer core: token ids in, hidden states out. What a model does, its Config says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "encode/attention.h"
#include "encode/config.h"
#include "encode/key_value_cache.h"
#include "encode/rotary.h"
#include "encode/weights.h"
#include "kith/control.h"
#include "kith/matrix.h"

namespace kith::encode {

// Sequences one behind the other, without padding; checked by the caller.
struct TokenBatch {
  std::vector<std::uint32_t> ids, types;
  Bounds begin = {0};
  // Of each sequence the leading tokens that are a prompt; what poolings may leave out.
  std::vector<std::size_t> prompts;

  std::size_t tokens() const { return ids.size(); }
  std::size_t sequences() const { return begin.size() - 1; }
};

// Told of each layer's states, a row a token, from layer 0 (the embeddings) on: they are gone when
// it returns. The last layer's have passed the final norm where the run ends with it.
using SeeLayer = std::function<void(std::size_t layer, MatrixView<const float> states)>;
// Runs a batch and returns its last states; may be called once. `see` may be empty.
using RunLayers = std::function<MatrixView<const float>(const SeeLayer& see)>;

// Memory that runs reuse; one for each run at a time.
struct TransformerScratch {
  Matrix<float> embedded, state, normed, qkv, grouped, shifted, attended, added, hidden;
  std::vector<AttentionScratch> attention;
  simd::DenseScratch dense;
};

class Transformer {
 public:
  Transformer(Config config, Weights weights);

  const Config& config() const { return config_; }
  const Weights& weights() const { return weights_; }
  Precision precision() const { return weights_.precision; }

  // The hidden state behind `layers` layers, one row of config().width a token. `final_norm`: ends
  // with the model's final norm, where it has one. The result lies in `scratch` until its next use.
  // With a cache, whose sequences are the batch's, tokens stand behind those in it and are added to
  // it; the caller advances it.
  MatrixView<const float> run(const Control& control, const TokenBatch& batch, std::size_t layers,
                              bool final_norm, TransformerScratch& scratch,
                              const SeeLayer& see = {}, KeyValueCache* cache = nullptr) const;

 private:
  friend class TransformerRun;
  Config config_;
  Weights weights_;
  std::vector<RotaryTable> rotary_;  // of the lengths that most sequences have
};

}  // namespace kith::encode
