// The k nearest of a stream of (distance, id) pairs, ties by the smaller id. A bounded max-heap:
// pushing a pair that isn't among the k nearest costs one comparison. Not thread-safe. The result
// does not depend on the order of pushes. NaN distances must not be pushed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "kith/types.h"

namespace kith {

struct Hit {
  float distance;
  Id id;

  // Nearer first, ties by id.
  friend bool operator<(const Hit& a, const Hit& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.id < b.id);
  }
  friend bool operator==(const Hit& a, const Hit& b) {
    return a.distance == b.distance && a.id == b.id;
  }
};

class TopK {
 public:
  explicit TopK(std::size_t k) : k_(k) {}

  void push(float distance, Id id) { push(Hit{distance, id}); }
  void push(Hit hit) {
    if (heap_.size() < k_) {
      heap_.push_back(hit);
      std::push_heap(heap_.begin(), heap_.end());
    } else if (k_ != 0 && hit < heap_.front()) {
      replace_worst(hit);
    }
  }

  bool full() const { return heap_.size() == k_; }
  std::size_t size() const { return heap_.size(); }
  // A pair farther than this cannot enter; +infinity until k pairs have come.
  float threshold() const {
    return full() && k_ != 0 ? heap_.front().distance : std::numeric_limits<float>::infinity();
  }
  // In heap order.
  const std::vector<Hit>& hits() const { return heap_; }

  // The hits, nearest first; empties the heap.
  std::vector<Hit> take_sorted() {
    std::sort_heap(heap_.begin(), heap_.end());
    return std::move(heap_);
  }
  void clear() { heap_.clear(); }

 private:
  // One walk from the root down, instead of a pop and a push.
  void replace_worst(Hit hit) {
    std::size_t hole = 0;
    for (;;) {
      std::size_t child = 2 * hole + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && heap_[child] < heap_[child + 1]) ++child;
      if (!(hit < heap_[child])) break;
      heap_[hole] = heap_[child];
      hole = child;
    }
    heap_[hole] = hit;
  }

  std::size_t k_;
  std::vector<Hit> heap_;
};

}  // namespace kith
