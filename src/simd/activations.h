// What a transformer does to one row of activations between its matrix products. exp is within
// 2 units in the last place; Phi of GELU within 1.5e-7 (absolute).
#pragma once

#include <cstddef>

namespace kith::simd {

enum class Activation : unsigned char { gelu, gelu_tanh, relu, silu, tanh, identity };

struct ActivationKernels {
  // out = (x - mean) / sqrt(variance + epsilon) * scale + shift; shift may be null. In place is
  // allowed here and below.
  void (*layer_norm)(const float* x, std::size_t n, const float* scale, const float* shift,
                     float epsilon, float* out);
  // out = x / sqrt(mean of squares + epsilon) * scale + shift; shift may be null.
  void (*rms_norm)(const float* x, std::size_t n, const float* scale, const float* shift,
                   float epsilon, float* out);
  void (*activate)(Activation activation, const float* x, std::size_t n, float* out);
  // out = activation(gate) * x.
  void (*gate)(Activation activation, const float* gate, const float* x, std::size_t n, float* out);
  // Softmax down the columns of `rows` rows (at least one) that touch: x becomes exp(x - max of its
  // column), and `inverses` 1 over each column's sum of these. `width` is a multiple of a matrix
  // panel's (MatmulKernels::b_rows).
  void (*exp_columns)(float* x, std::size_t rows, std::size_t width, float* inverses);
  // out += x.
  void (*add)(const float* x, std::size_t n, float* out);
  // Turns the pairs (x[i], x[i + half]) by the angles whose cosines and sines are given.
  void (*rotate_halves)(const float* cosines, const float* sines, std::size_t half, float* x);
  // The same for the pairs (x[2 i], x[2 i + 1]).
  void (*rotate_pairs)(const float* cosines, const float* sines, std::size_t half, float* x);
  void (*scale)(float factor, std::size_t n, float* x);
};

// For the instruction set in use (see dispatch.h).
const ActivationKernels& activation_kernels();

}  // namespace kith::simd
