// Things numbered 0, 1, 2 ... sorted by the group that each belongs to, in order within a group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace kith {

class Groups {
 public:
  // group_of[i] is below `groups`. Costs one count and one pass.
  Groups(std::span<const std::uint32_t> group_of, std::size_t groups)
      : starts_(groups + 1, 0), members_(group_of.size()) {
    for (std::uint32_t group : group_of) ++starts_[group + 1];
    std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
    std::vector<std::uint32_t> next(starts_.begin(), starts_.end() - 1);
    for (std::uint32_t i = 0; i < group_of.size(); ++i) members_[next[group_of[i]]++] = i;
  }

  std::span<const std::uint32_t> of(std::size_t group) const {
    return std::span(members_).subspan(starts_[group], starts_[group + 1] - starts_[group]);
  }

 private:
  std::vector<std::uint32_t> starts_, members_;
};

}  // namespace kith
