#include "encode/weighted_layers.h"

#include <cmath>

#include "encode/pooling.h"
#include "kith/error.h"

namespace kith::encode {

WeightedLayers::WeightedLayers(const Json& json, std::size_t width, std::size_t layers,
                               ModuleTensors& tensors)
    : width_(width) {
  expect_width(json, width);
  start_ = json.whole("layer_start", 0, layers);
  if (json.whole("num_hidden_layers", 1, 1 << 20) != layers) {
    json.refuse("num_hidden_layers", std::to_string(layers) + ", the model's layers");
  }
  const std::size_t count = layers + 1 - start_;
  const Matrix<float> weights = tensors.read("layer_weights", 1, count);
  double sum = 0;
  for (std::size_t l = 0; l < count; ++l) sum += weights(0, l);
  for (std::size_t l = 0; l < count; ++l) {
    shares_.push_back(static_cast<float>(weights(0, l) / sum));
    if (std::isfinite(shares_[l])) continue;
    throw Error(ErrorCode::corrupt, tensors.store().path() + ": layer_weights sum to " +
                                        std::to_string(sum) + ", by which no mean can be taken");
  }
}

std::string WeightedLayers::description() const {
  return "weighted mean of layers " + std::to_string(start_) + " to " +
         std::to_string(start_ + shares_.size() - 1);
}

Matrix<float> WeightedLayers::run(const TokenBatch& batch, const RunLayers& run) const {
  Matrix<float> sum(batch.tokens(), width_);
  run([&](std::size_t layer, MatrixView<const float> states) {
    if (layer < start_) return;
    const float share = shares_[layer - start_];
    for (std::size_t i = 0; i < states.rows(); ++i) {
      const float* from = states.row(i);
      float* to = sum.row(i);
      for (std::size_t j = 0; j < width_; ++j) to[j] += share * from[j];
    }
  });
  return sum;
}

}  // namespace kith::encode
