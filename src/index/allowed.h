// What one search may return: what its filter allows, less what was removed.
#pragma once

#include <cstddef>

#include "base/id_set.h"
#include "kith/filter.h"
#include "kith/types.h"

namespace kith {

// Keeps references; the removed ids may change between two queries of the search.
class Allowed {
 public:
  // `slots`: ids are below it. `linked`: removed ids that a walk still meets.
  Allowed(const Filter& filter, const IdSet& removed, std::size_t slots, std::size_t linked);

  bool operator()(Id id) const {
    if (removed_.contains(id)) return false;
    if (set_ != nullptr) return set_->contains(id);
    return predicate_ == nullptr || (*predicate_)(id);
  }
  // Whether there is a filter.
  bool filters() const { return set_ != nullptr || predicate_ != nullptr; }
  // About how many ids are allowed, and of those that a walk meets which share.
  std::size_t count() const { return count_; }
  double share() const { return share_; }

  // The allowed ids of [begin, end), ascending; `begin` is a multiple of 64.
  template <class F>
  void for_each(Id begin, Id end, const F& f) const {
    for (std::size_t at = begin / 64; 64 * at < end; ++at) {
      std::uint64_t word = ~removed_.word(at);
      if (set_ != nullptr) word &= set_->word(at);
      if (end - 64 * at < 64) word &= ~(~std::uint64_t{0} << (end - 64 * at));
      IdSet::for_each_bit(word, at, [&](Id id) {
        if (predicate_ == nullptr || (*predicate_)(id)) f(id);
      });
    }
  }

 private:
  const IdSet& removed_;
  const IdSet* set_;
  const std::function<bool(Id)>* predicate_;
  std::size_t count_ = 0;
  double share_ = 0;
};

}  // namespace kith
