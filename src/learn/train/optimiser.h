// AdamW and SGD over the trained tensors of a model, by LibTorch, with rates by group and a state
// that can be kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "learn/nn/parameters.h"

namespace kith::learn {

// Tensors whose names start as one of `match` do (the first group that fits counts).
struct OptimiserGroup {
  std::vector<std::string> match;
  double rate_factor = 1;    // times the learning rate
  double weight_decay = -1;  // below 0: the optimiser's
};

struct OptimiserOptions {
  std::string name = "adamw";  // or "sgd"
  double learning_rate = 1e-3;
  double weight_decay = 0.01;  // of tensors of two dimensions; norms and biases have none
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // of AdamW (Loshchilov and Hutter, 2019)
  double momentum = 0.9;                              // of SGD
  std::vector<OptimiserGroup> groups = {};
};

class Optimiser {
 public:
  Optimiser(const OptimiserOptions& options, const Parameters& trained);
  ~Optimiser();

  void zero_gradients();
  // The length of all gradients together; they are scaled down to `most` where that is above 0 and
  // less. Infinite or NaN when a gradient is.
  double clip(double most);
  // `factor`: of the schedule.
  void step(double factor);

  // What the next steps depend on besides the tensors, by name, and the way back. restore() throws
  // corrupt when something is missing or misshapen.
  Parameters state() const;
  void restore(const Parameters& state);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kith::learn
