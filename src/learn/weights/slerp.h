// Spherical interpolation of task vectors (Shoemake, 1985), one angle over all tensors together, as
// the merging of embedders by Li et al. ("Improving general text embedding model", 2024) has it.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "learn/weights/task_vectors.h"

namespace kith::learn {

// Coefficients c of the vectors in their merge, from the vectors' products alone. With two, alpha
// the angle between them and b = a_2 / (a_1 + a_2):
//   c_1 = sin((1 - b) alpha) / sin(alpha),  c_2 = sin(b alpha) / sin(alpha).
// More are folded from the left: what is merged so far meets the next one with the mean of its
// a's. So the order matters a little. Larger a_i: more of vector i. Vectors keep their lengths.
//
// gram [N, N], weights a [N], doubles; differentiable in a. `names`: the models, for messages.
// Below an angle of 1e-4 the interpolation is linear, since sin(alpha) vanishes. Throws
// invalid_argument for a weight that isn't above 0 and finite, a vector of length 0, and vectors
// that point opposite ways (an angle above pi - 1e-3), between which no way is the shortest; each
// names the models.
at::Tensor slerp_coefficients(const at::Tensor& gram, const at::Tensor& weights,
                              const std::vector<std::string>& names);

// The same without gradients; `weights` empty: 1 each.
std::vector<double> slerp_coefficients(const TaskVectors& vectors,
                                       const std::vector<double>& weights = {});

}  // namespace kith::learn
