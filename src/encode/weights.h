// A transformer's weights, how they are read from a model folder and packed for products.
#pragma once

#include <cstddef>
#include <vector>

#include "encode/architecture.h"
#include "encode/config.h"
#include "encode/tensor_store.h"
#include "kith/matrix.h"
#include "kith/precision.h"
#include "simd/dense.h"

namespace kith::encode {

struct Norm {
  Matrix<float> scale, shift;  // one row each; shift may be empty
};

// A dense layer as its file has it, outputs x inputs.
struct Dense {
  Matrix<float> rows, bias;  // bias: one row
};

// Layer is Dense, or what products take.
template <class Layer>
struct LayerWeightsOf {
  Norm attention_norm, mlp_norm, query_norm, key_norm;
  Layer qkv;  // outputs: queries of all heads, keys, values
  Layer out;
  Layer up;  // of a gated layer: the gate's outputs, then the others
  Layer down;
};

template <class Layer>
struct WeightsOf {
  Matrix<float> tokens, positions, types;
  Matrix<float> bucket_bias;  // a row a bucket, a column a head
  Norm embedding_norm, final_norm;
  Layer projection;  // of embeddings that are narrower than the state
  std::vector<LayerWeightsOf<Layer>> layers;
  std::size_t parameters = 0;
  Precision precision = Precision::f32;  // of what was packed
};

using LayerWeights = LayerWeightsOf<simd::PackedWeights>;
using Weights = WeightsOf<simd::PackedWeights>;
using RawWeights = WeightsOf<Dense>;

// Throws what TensorStore::read does, and corrupt for a tensor that the architecture has no place
// for.
RawWeights read_raw_weights(const TensorStore& store, const Names& names, const Config& config);
// Frees what it has packed layer by layer. The projection of embeddings, which all layers add to,
// is never narrower than bfloat16.
Weights pack(RawWeights raw, Precision precision);

}  // namespace kith::encode
