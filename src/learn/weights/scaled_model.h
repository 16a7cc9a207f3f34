// A model whose weights are its base plus scaled blocks of task vectors, and the slopes of its loss
// in those scales: what searches over few numbers share.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "learn/weights/task_vectors.h"

namespace kith::learn {

// Returns a loss of the model as it now is and leaves its gradients in the model's parameters: one
// forward and backward pass, without dropout, which would drown so few numbers in noise. Gradients
// are cleared before it is called. `step` counts from 0.
using GradientStep = std::function<double(std::int64_t step)>;

// Blocks are tensors, in the order of their names, or random parts of their values.
class ScaledModel {
 public:
  // `model`: the tensors that are trained, on any device, which hold the base's names and shapes;
  // all are made to require gradients for as long as this lives. `partitions` K above 1 splits each
  // tensor of two dimensions into K blocks of values drawn at random, one partition for all tensors
  // of a shape; other tensors are in no block then and stay the base's. Throws invalid_argument as
  // Parameters::assign does, and for a K below 1.
  ScaledModel(const TaskVectors& vectors, Parameters model, std::int64_t partitions = 1,
              std::uint64_t seed = 1);
  ~ScaledModel();
  ScaledModel(const ScaledModel&) = delete;
  ScaledModel& operator=(const ScaledModel&) = delete;

  // A block's tensor, with "#k" behind it where that is split.
  const std::vector<std::string>& blocks() const { return blocks_; }

  // Sets the weights: theta^(j) = theta_0^(j) + sum_i scales[i][j] tau_i^(j). scales [N, blocks],
  // doubles; the sums are float32.
  void place(const at::Tensor& scales) const;
  // Calls `step` and returns its loss; `slopes` become [N, blocks] doubles:
  // <gradient^(j), tau_i^(j)>. A tensor without gradient adds nothing. Throws invalid_argument when
  // the loss or a gradient is not finite, naming the step.
  double run(const GradientStep& step, std::int64_t number, at::Tensor& slopes) const;

 private:
  struct Place {
    at::Tensor value, base;             // the model's tensor; theta_0, on its device
    std::vector<at::Tensor> vectors;    // on its device
    at::Tensor groups;                  // of each value, the block's number in the tensor; or none
    std::int64_t first = 0, count = 1;  // its blocks; 0: none
    bool required_gradient = false;
  };

  std::vector<Place> places_;
  std::vector<std::string> blocks_;
};

}  // namespace kith::learn
