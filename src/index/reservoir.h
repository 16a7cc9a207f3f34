// One query's candidates while lists are scanned, unordered: appending costs a copy. Those farther
// than the limit needn't come; with a capacity, the limit falls to the distance of the
// capacity-th nearest whenever twice as many are there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/topk.h"

namespace kith {

class Reservoir {
 public:
  static constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max() / 2;

  void start(std::size_t capacity, float limit) {
    capacity_ = capacity;
    size_ = 0;
    limit_ = limit;
  }
  float limit() const { return limit_; }
  void lower(float limit) { limit_ = std::min(limit_, limit); }

  // Candidates ids[places[i]] at estimates[i].
  void append(std::span<const float> estimates, const std::uint32_t* places, const Id* ids) {
    if (hits_.size() < size_ + estimates.size()) hits_.resize(2 * (size_ + estimates.size()));
    for (std::size_t i = 0; i < estimates.size(); ++i) {
      hits_[size_ + i] = {estimates[i], ids[places[i]]};
    }
    size_ += estimates.size();
    if (size_ >= 2 * capacity_) shrink();
  }

  // At most `capacity`, in no order.
  std::span<const Hit> hits() {
    if (size_ > capacity_) shrink();
    return {hits_.data(), size_};
  }
  // Forgets the candidates, not the limit.
  void clear() { size_ = 0; }

 private:
  void shrink() {
    const auto last = hits_.begin() + static_cast<std::ptrdiff_t>(capacity_ - 1);
    std::nth_element(hits_.begin(), last, hits_.begin() + static_cast<std::ptrdiff_t>(size_));
    lower(last->distance);
    size_ = capacity_;
  }

  std::size_t capacity_ = 0, size_ = 0;
  float limit_ = 0;
  std::vector<Hit> hits_;
};

}  // namespace kith
