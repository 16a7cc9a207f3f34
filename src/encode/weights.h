// A transformer's weights, packed for its products, and how they are read from a model folder.
#pragma once

#include <cstddef>
#include <vector>

#include "encode/architecture.h"
#include "encode/config.h"
#include "encode/tensor_store.h"
#include "kith/matrix.h"
#include "simd/dense.h"

namespace kith::encode {

struct Norm {
  Matrix<float> scale, shift;  // one row each; shift may be empty
};

struct LayerWeights {
  Norm attention_norm, mlp_norm, query_norm, key_norm;
  simd::PackedWeights qkv;  // outputs: queries of all heads, keys, values
  simd::PackedWeights out;
  simd::PackedWeights up;  // of a gated layer: the gate's outputs, then the others
  simd::PackedWeights down;
};

struct Weights {
  Matrix<float> tokens, positions, types;
  Matrix<float> bucket_bias;  // a row a bucket, a column a head
  Norm embedding_norm, final_norm;
  simd::PackedWeights projection;  // of embeddings that are narrower than the state
  std::vector<LayerWeights> layers;
  std::size_t parameters = 0;
};

// Throws what TensorStore::read does, and corrupt for a tensor that the architecture has no place
// for.
Weights read_weights(const TensorStore& store, const Names& names, const Config& config);

}  // namespace kith::encode
