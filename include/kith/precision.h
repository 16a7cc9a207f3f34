// What a model's weights are kept in and multiplied by. Everything else of a model (embeddings,
// norms, softmax, attention's own products, the dense layers behind the pooling) is float32.
#pragma once

#include <cstdint>

namespace kith {

enum class Precision : std::uint8_t {
  f32,
  bf16,  // weights and what they are multiplied with are rounded to bfloat16; sums are float32
  // Weights are bytes with a scale an output, what they are multiplied with bytes with a scale and
  // a zero a token, chosen as it comes; sums are exact.
  int8,
};

}  // namespace kith
