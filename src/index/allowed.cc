#include "index/allowed.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace kith {
namespace {

constexpr std::size_t kAsked = 1024;  // ids that say which share a predicate lets pass

}  // namespace

Allowed::Allowed(const Filter& filter, const IdSet& removed, std::size_t slots, std::size_t linked)
    : removed_(removed), set_(filter.set()), predicate_(filter.predicate()) {
  const std::size_t present = slots - std::min(removed.size(), slots);
  double passing = 1;  // of all slots
  if (set_ != nullptr) {
    passing =
        static_cast<double>(set_->size()) / static_cast<double>(std::max<std::size_t>(slots, 1));
  } else if (predicate_ != nullptr) {
    Random random(0);
    std::size_t pass = 0;
    for (std::size_t i = 0; i < kAsked && slots != 0; ++i) {
      pass += (*predicate_)(static_cast<Id>(random.below(slots))) ? 1 : 0;
    }
    passing = static_cast<double>(pass) / kAsked;
  }
  const double allowed = std::min(passing, 1.0) * static_cast<double>(present);
  count_ = static_cast<std::size_t>(std::llround(allowed));
  share_ = allowed / static_cast<double>(std::max<std::size_t>(present + linked, 1));
}

}  // namespace kith
