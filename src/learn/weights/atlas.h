// aTLAS (Zhang et al., "Knowledge composition using task vectors with learned anisotropic scaling",
// 2024): one learned coefficient for each task vector and tensor, everything else frozen.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "learn/weights/scaled_model.h"
#include "learn/weights/task_vectors.h"

namespace kith::learn {

// Defaults: the authors' code for adding tasks. For a new task from a few examples it takes a
// learning rate of 0.1 and "cosine"; with that rate addition diverges.
struct AtlasOptions {
  std::int64_t steps = 100;
  double learning_rate = 1e-3;
  double weight_decay = 0.1;          // AdamW's, which pulls towards 0, the base
  std::string schedule = "constant";  // or "cosine", down to 0
  double clip = 1;                    // most length of the coefficients' gradient; 0: any
  bool isotropic = false;             // one coefficient a vector instead
  // aTLAS x K: each weight's values are split at random into so many parts with a coefficient
  // each; norms, biases and other tensors that aren't of two dimensions stay the base's.
  std::int64_t partitions = 1;
  std::uint64_t seed = 1;  // of the parts
  // Vectors that each block may use; 0: all. Those with the largest slope at the base stay
  // ("blockwise gradient selection"), which takes one call of the loss more, for step 0.
  std::int64_t budget = 0;
  double l1 = 0;  // times the mean over blocks of sum_i |lambda_i|; the authors tried 0.5
};

struct Atlas {
  std::vector<std::string> blocks;  // in the order of tensors' names
  at::Tensor coefficients;          // [N, blocks] doubles; isotropic: equal in all blocks
  at::Tensor used;                  // [N, blocks] bool: not left out by the budget
  std::vector<double> losses;       // of each step, without the L1 term
};

// Minimises loss(theta_0 + sum_i lambda_i tau_i) from lambda = 0, by exact slopes
// <d loss / d theta^(j), tau_i^(j)>. Cost of a step: the callback and N products. At the end
// `model` holds the composed weights. Throws what ScaledModel does, and invalid_argument for
// options out of range, a budget above the number of vectors, and isotropic together with
// partitions or a budget.
Atlas learn_atlas(const TaskVectors& vectors, const Parameters& model, const GradientStep& loss,
                  const AtlasOptions& options = {});

}  // namespace kith::learn
