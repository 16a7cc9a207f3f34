// A running mean of a model's weights over a training's steps (Polyak and Juditsky, 1992, with
// weights that fall off exponentially).
#pragma once

#include <cstdint>

#include "learn/nn/parameters.h"

namespace kith::learn {

class RunningMean {
 public:
  // Starts as the tensors are. Throws invalid_argument for a decay outside [0, 1).
  RunningMean(const Parameters& tensors, double decay);

  // mean = d mean + (1 - d) tensors, d the decay, or (1 + n) / (10 + n) in the first updates, so
  // that the start is soon forgotten.
  void update();
  const Parameters& mean() const { return mean_; }
  // As mean() was after so many updates.
  void restore(const Parameters& mean, std::int64_t updates);

 private:
  Parameters tensors_, mean_;
  double decay_;
  std::int64_t updates_ = 0;
};

}  // namespace kith::learn
