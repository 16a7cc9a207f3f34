// Remembers the tokens of words: most words of a text were met before. Direct-mapped, so that a
// newer word takes the place of an older one, and emptied when its buffers are full. Not
// thread-safe: one a thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/vocabulary.h"

namespace kith::tokenizer {

class WordCache {
 public:
  static constexpr std::size_t kMostWordBytes = 128;

  // Appends the word's tokens to `ids`; false when it isn't known.
  bool find(std::string_view word, std::vector<TokenId>& ids) {
    if (slots_.empty()) slots_.resize(kSlots);
    slot_ = std::hash<std::string_view>()(word) & (kSlots - 1);
    const Slot& slot = slots_[slot_];
    if (std::string_view(words_).substr(slot.word, slot.word_size) != word) return false;
    ids.insert(ids.end(), ids_.begin() + slot.ids, ids_.begin() + slot.ids + slot.id_count);
    return true;
  }

  // Keeps the tokens of the (not empty) word that find() was asked for last.
  void keep(std::string_view word, std::span<const TokenId> ids) {
    if (words_.size() > kMostBytes || ids_.size() > kMostBytes) {
      words_.clear();
      ids_.clear();
      slots_.assign(kSlots, {});
    }
    slots_[slot_] = {
        static_cast<std::uint32_t>(words_.size()), static_cast<std::uint32_t>(word.size()),
        static_cast<std::uint32_t>(ids_.size()), static_cast<std::uint32_t>(ids.size())};
    words_.append(word);
    ids_.insert(ids_.end(), ids.begin(), ids.end());
  }

 private:
  static constexpr std::size_t kSlots = 1 << 15, kMostBytes = 1 << 22;
  struct Slot {
    std::uint32_t word = 0, word_size = 0, ids = 0, id_count = 0;
  };
  std::vector<Slot> slots_;
  std::string words_;
  std::vector<TokenId> ids_;
  std::size_t slot_ = 0;
};

}  // namespace kith::tokenizer
