// What two neighbouring tokens become: an open-addressing table from pairs to a rank and a token.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "text/tokenizer/vocabulary.h"

namespace kith::tokenizer {

struct Merge {
  std::uint32_t rank;  // lower goes first
  TokenId result;
};

class PairTable {
 public:
  explicit PairTable(std::size_t most) : slots_(std::bit_ceil(most * 2 + 2)) {}

  // At most as many different pairs as the table was made for; a pair's last merge stays.
  void add(TokenId left, TokenId right, Merge merge) {
    slots_[slot_of(left, right)] = {key_of(left, right), true, merge};
  }
  const Merge* find(TokenId left, TokenId right) const {
    const Slot& slot = slots_[slot_of(left, right)];
    return slot.used ? &slot.merge : nullptr;
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    bool used = false;
    Merge merge{};
  };
  static std::uint64_t key_of(TokenId left, TokenId right) {
    return std::uint64_t{left} << 32 | right;
  }
  std::size_t slot_of(TokenId left, TokenId right) const {
    const std::uint64_t key = key_of(left, right);
    std::size_t at = (key * 0x9e3779b97f4a7c15u >> 29) & (slots_.size() - 1);
    while (slots_[at].used && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  std::vector<Slot> slots_;
};

}  // namespace kith::tokenizer
