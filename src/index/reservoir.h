// One query's candidates while lists are scanned, in no order, by their places in the lists:
// appending costs a copy. Those farther than the limit needn't come; with a capacity, the limit
// falls to the distance of the capacity-th nearest whenever twice as many are there.
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

  // Candidates first + places[i] at estimates[i].
  void append(std::span<const float> estimates, const std::uint32_t* places, std::uint32_t first) {
    const std::size_t size = size_ + estimates.size();
    if (estimates_.size() < size) {
      estimates_.resize(2 * size);
      places_.resize(2 * size);
    }
    std::copy(estimates.begin(), estimates.end(), estimates_.data() + size_);
    for (std::size_t i = 0; i < estimates.size(); ++i) places_[size_ + i] = first + places[i];
    size_ = size;
    if (size_ >= 2 * capacity_) shrink();
  }

  // Leaves at most `capacity`.
  void settle() {
    if (size_ > capacity_) shrink();
  }
  std::span<const float> estimates() const { return {estimates_.data(), size_}; }
  std::span<const std::uint32_t> places() const { return {places_.data(), size_}; }

  // Forgets the candidates, not the limit.
  void clear() { size_ = 0; }

 private:
  void shrink() {
    std::vector<Hit> hits(size_);
    for (std::size_t i = 0; i < size_; ++i) hits[i] = {estimates_[i], places_[i]};
    const auto last = hits.begin() + static_cast<std::ptrdiff_t>(capacity_ - 1);
    std::nth_element(hits.begin(), last, hits.end());
    lower(last->distance);
    size_ = capacity_;
    for (std::size_t i = 0; i < size_; ++i) {
      estimates_[i] = hits[i].distance;
      places_[i] = hits[i].id;
    }
  }

  std::size_t capacity_ = 0, size_ = 0;
  float limit_ = 0;
  std::vector<float> estimates_;
  std::vector<std::uint32_t> places_;
};

}  // namespace kith
