// Task vectors (Ilharco et al., "Editing models with task arithmetic", 2023): what training added
// to each tensor of a base, theta_i - theta_0, as vectors to add, scale and compare.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

#include "learn/nn/parameters.h"

namespace kith::learn {

// float32 tensors on the CPU, the same names in the same order (the alphabet's) in base and
// vectors. Tensors that share memory are there once.
struct TaskVectors {
  Parameters base;                 // theta_0
  std::vector<std::string> names;  // what messages call the models
  std::vector<Parameters> vectors;

  std::size_t size() const { return vectors.size(); }
};

struct NamedModel {
  std::string name;
  Parameters tensors;
};

// Copies. Memory: all models in float32. Throws invalid_argument when there is no model, when one
// hasn't the base's tensors in the base's shapes (all that differ are listed, with both names), or
// holds a value that isn't finite.
TaskVectors make_task_vectors(const NamedModel& base, const std::vector<NamedModel>& models);
// For averages of models that have no known base: the vectors are the weights, the base is zeros.
TaskVectors make_plain_vectors(const std::vector<NamedModel>& models);

// The same tensors in the alphabet's order of names, of those that share memory (tied weights) the
// first alone.
Parameters distinct(const Parameters& tensors);

// Sums of products in float64.
double precise_dot(const at::Tensor& a, const at::Tensor& b);
double precise_dot(const Parameters& a, const Parameters& b);
double norm(const Parameters& a);
// [N, N] doubles: the vectors' products with each other.
at::Tensor gram_of(const std::vector<Parameters>& vectors);

// sum over i of coefficients[i] vectors[i], summed in float64, kept in float32.
Parameters combine(const std::vector<Parameters>& vectors, std::span<const double> coefficients);
// theta_0 + scale * vector, which for scale 0 is the base to the bit.
Parameters add_to_base(const TaskVectors& vectors, const Parameters& vector, double scale = 1);

// Throws invalid_argument naming `what` when there isn't one number a vector, or one isn't finite.
void check_one_each(const TaskVectors& vectors, std::span<const double> numbers, const char* what);

}  // namespace kith::learn
