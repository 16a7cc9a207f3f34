// Vectors whose codes are equal to the byte: one of them stands in the graph for all, and searches
// put the others back. Without this a crowd of copies fills every neighbour list with itself.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "base/checksum.h"
#include "base/id_set.h"
#include "kith/types.h"

namespace kith {

struct Duplicate {
  Id representative, member;
  friend bool operator<(const Duplicate& a, const Duplicate& b) {
    return a.representative != b.representative ? a.representative < b.representative
                                                : a.member < b.member;
  }
};

class Duplicates {
 public:
  Duplicates() = default;
  // Sorted pairs, as list() gives them.
  explicit Duplicates(std::vector<Duplicate> sorted) : pairs_(std::move(sorted)) {
    for (const Duplicate& pair : pairs_) stand_for_others_.insert(pair.representative);
  }

  // Of the `fresh` ids, those that stand for themselves, ascending; the others are noted. `present`
  // are the representatives so far. code(id) gives an id's bytes.
  template <class Code>
  std::vector<Id> absorb(std::span<const Id> fresh, std::span<const Id> present, const Code& code);

  // Notes that `representative` stands for `member`.
  void add(Id representative, Id member) {
    const Duplicate pair{representative, member};
    pairs_.insert(std::upper_bound(pairs_.begin(), pairs_.end(), pair), pair);
    stand_for_others_.insert(representative);
  }

  bool empty() const { return pairs_.empty(); }
  std::span<const Duplicate> list() const { return pairs_; }
  // Those that `representative` stands for besides itself.
  std::span<const Duplicate> of(Id representative) const {
    if (!stand_for_others_.contains(representative)) return {};
    const auto [begin, end] = std::equal_range(
        pairs_.begin(), pairs_.end(), Duplicate{representative, 0},
        [](const Duplicate& a, const Duplicate& b) { return a.representative < b.representative; });
    return {begin, end};
  }

 private:
  std::vector<Duplicate> pairs_;
  IdSet stand_for_others_;  // a bit to ask for instead of a search
};

template <class Code>
std::vector<Id> Duplicates::absorb(std::span<const Id> fresh, std::span<const Id> present,
                                   const Code& code) {
  struct Hashed {
    std::uint64_t hash;
    bool is_fresh;
    Id id;
    auto operator<=>(const Hashed&) const = default;
  };
  std::vector<Hashed> all;
  all.reserve(present.size() + fresh.size());
  for (Id id : present) all.push_back({checksum(code(id)), false, id});
  for (Id id : fresh) all.push_back({checksum(code(id)), true, id});
  std::sort(all.begin(), all.end());

  const auto equal = [&](Id a, Id b) {
    return std::memcmp(code(a).data(), code(b).data(), code(a).size()) == 0;
  };
  std::vector<Id> own, run;  // run: distinct codes that share a hash
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || all[i].hash != all[i - 1].hash) run.clear();
    const auto twin =
        std::find_if(run.begin(), run.end(), [&](Id earlier) { return equal(earlier, all[i].id); });
    if (twin != run.end()) {
      pairs_.push_back({*twin, all[i].id});
      stand_for_others_.insert(*twin);
    } else {
      run.push_back(all[i].id);
      if (all[i].is_fresh) own.push_back(all[i].id);
    }
  }
  std::sort(pairs_.begin(), pairs_.end());
  std::sort(own.begin(), own.end());
  return own;
}

}  // namespace kith
