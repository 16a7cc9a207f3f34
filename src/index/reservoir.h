// The `capacity` smallest estimates so far, unordered: pushing costs an append, and only when twice
// as many are there is the larger half dropped.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "base/topk.h"

namespace kith {

class Reservoir {
 public:
  void start(std::size_t capacity) {
    capacity_ = capacity;
    hits_.clear();
    threshold_ = std::numeric_limits<float>::infinity();
  }
  // What is farther than this can't be among the smallest.
  float threshold() const { return threshold_; }
  void push(float estimate, Id id) {
    hits_.push_back({estimate, id});
    if (hits_.size() >= 2 * capacity_) shrink();
  }
  // At most `capacity`, ascending.
  std::span<const Hit> sorted() {
    if (hits_.size() > capacity_) shrink();
    std::sort(hits_.begin(), hits_.end());
    return hits_;
  }

 private:
  void shrink() {
    const auto last = hits_.begin() + static_cast<std::ptrdiff_t>(capacity_ - 1);
    std::nth_element(hits_.begin(), last, hits_.end());
    threshold_ = std::min(threshold_, last->distance);
    hits_.resize(capacity_);
  }

  std::size_t capacity_ = 0;
  float threshold_ = 0;
  std::vector<Hit> hits_;
};

}  // namespace kith
