#include "learn/train/average.h"

#include <algorithm>

#include "kith/error.h"
#include "learn/torch.h"

namespace kith::learn {

RunningMean::RunningMean(const Parameters& tensors, double decay)
    : tensors_(tensors), mean_(tensors.copy()), decay_(decay) {
  if (!(decay >= 0 && decay < 1)) {
    throw Error(ErrorCode::invalid_argument,
                "a mean that decays by " + std::to_string(decay) + ", expected 0 to below 1");
  }
}

void RunningMean::update() {
  const torch::NoGradGuard constant;
  const auto n = static_cast<double>(updates_++);
  const double decay = std::min(decay_, (1 + n) / (10 + n));
  for (const Parameter& each : mean_) {
    at::Tensor mean = each.value;
    mean.lerp_(tensors_[each.name], 1 - decay);
  }
}

void RunningMean::restore(const Parameters& mean, std::int64_t updates) {
  mean_.assign(mean);
  updates_ = updates;
}

}  // namespace kith::learn
