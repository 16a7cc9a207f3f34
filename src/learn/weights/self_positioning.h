// Self Positioning (Li et al., "Improving general text embedding model: tackling task conflict and
// data imbalance through model merging", 2024): gradient descent over where, in the span of task
// vectors, the merged model stands: direction by spherical interpolation, length by lambda.
#pragma once

#include <cstdint>
#include <vector>

#include "learn/weights/scaled_model.h"
#include "learn/weights/task_vectors.h"

namespace kith::learn {

// Only `penalty` is the paper's; it leaves the search's own settings open.
struct SelfPositioningOptions {
  std::int64_t steps = 80;
  double weight_rate = 0.5;  // SGD's learning rate of rho, a_i = softplus(rho_i)
  double scale_rate = 0.1;   // and of the logarithm of lambda
  double momentum = 0.9;
  // mu: the loss gains mu lambda, since losses like length more than test data do. The paper's good
  // values lie below 0.05.
  double penalty = 0.01;
};

struct SelfPositioning {
  std::vector<double> weights;       // a_i
  double scale = 1;                  // lambda
  std::vector<double> coefficients;  // of the vectors in the merged model: lambda c_i(a)
  std::vector<double> losses;        // of each step, without mu lambda
};

// (a, lambda) = argmin of loss(theta_0 + lambda slerp(V; a)) + mu lambda, from a_i = 1, lambda = 1.
// `loss`: of a batch of the probe set, which is drawn from training data, the same number of each
// task. Gradients are exact: with g the gradient in the weights and r_i = <g, V_i>, the slope in
// lambda is sum c_i r_i + mu, and lambda r goes back through c(a), which depends on the vectors'
// products alone. Cost of a step: the callback and N products. At the end `model` holds the merged
// weights. Throws what ScaledModel and slerp_coefficients do.
SelfPositioning self_position(const TaskVectors& vectors, const Parameters& model,
                              const GradientStep& loss, const SelfPositioningOptions& options = {});

}  // namespace kith::learn
