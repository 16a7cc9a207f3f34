// A set of ids, a bit each. Ids beyond the last word are not in it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "kith/types.h"

namespace kith {

class IdSet {
 public:
  IdSet() = default;
  // Bit i of word i / 64, counted from the lowest, stands for id i.
  explicit IdSet(std::vector<std::uint64_t> words) : words_(std::move(words)) {
    for (std::uint64_t word : words_) size_ += static_cast<std::size_t>(std::popcount(word));
  }
  explicit IdSet(std::span<const Id> ids) {
    for (Id id : ids) insert(id);
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const std::uint64_t> words() const { return words_; }
  std::uint64_t word(std::size_t at) const { return at < words_.size() ? words_[at] : 0; }

  bool contains(Id id) const { return ((word(id / 64) >> (id % 64)) & 1) != 0; }
  void insert(Id id) {
    if (id / 64 >= words_.size()) words_.resize(id / 64 + 1, 0);
    const std::uint64_t bit = std::uint64_t{1} << (id % 64);
    size_ += (words_[id / 64] & bit) == 0 ? 1 : 0;
    words_[id / 64] |= bit;
  }
  void erase(Id id) {
    if (!contains(id)) return;
    words_[id / 64] &= ~(std::uint64_t{1} << (id % 64));
    --size_;
  }

  // In ascending order.
  template <class F>
  void for_each(const F& f) const {
    for (std::size_t at = 0; at < words_.size(); ++at) for_each_bit(words_[at], at, f);
  }
  std::vector<Id> ids() const {
    std::vector<Id> all;
    all.reserve(size_);
    for_each([&](Id id) { all.push_back(id); });
    return all;
  }

  // The ids that the bits of word number `at` stand for.
  template <class F>
  static void for_each_bit(std::uint64_t word, std::size_t at, const F& f) {
    for (; word != 0; word &= word - 1) {
      f(static_cast<Id>(64 * at + static_cast<std::size_t>(std::countr_zero(word))));
    }
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_ = 0;
};

}  // namespace kith
