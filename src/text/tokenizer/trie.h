// Strings by their common beginnings: a trie over bytes whose edges lie in one hash table.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace kith::tokenizer {

class Trie {
 public:
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0, kNowhere = std::numeric_limits<Node>::max();
  static constexpr std::uint32_t kNoValue = std::numeric_limits<std::uint32_t>::max();

  Trie() : values_(1, kNoValue), slots_(64) {}

  // The last value given for a string stays.
  void add(std::string_view key, std::uint32_t value) {
    Node node = kRoot;
    for (const char byte : key) {
      const Node next = step(node, byte);
      node = next != kNowhere ? next : add_edge(node, byte);
    }
    values_[node] = value;
  }

  Node step(Node node, char byte) const {
    const std::uint64_t key = key_of(node, byte);
    for (std::size_t slot = slot_of(key);; slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot].key == key) return slots_[slot].to;
      if (slots_[slot].key == 0) return kNowhere;
    }
  }
  Node walk(Node node, std::string_view text) const {
    for (std::size_t i = 0; i < text.size() && node != kNowhere; ++i) node = step(node, text[i]);
    return node;
  }
  std::uint32_t value(Node node) const { return values_[node]; }

  // The longest string that begins at `at` and has a value; its length is 0 when there is none.
  struct Match {
    std::size_t length = 0;
    std::uint32_t value = kNoValue;
  };
  Match longest(std::string_view text, std::size_t at, Node from = kRoot) const {
    Match best;
    Node node = from;
    for (std::size_t i = at; i < text.size(); ++i) {
      node = step(node, text[i]);
      if (node == kNowhere) break;
      if (values_[node] != kNoValue) best = {i + 1 - at, values_[node]};
    }
    return best;
  }

 private:
  struct Slot {
    std::uint64_t key = 0;  // 0: empty; no edge has it, for nodes count from 1 there
    Node to = 0;
  };
  static std::uint64_t key_of(Node node, char byte) {
    return (std::uint64_t{node} + 1) << 8 | static_cast<unsigned char>(byte);
  }
  std::size_t slot_of(std::uint64_t key) const {
    return (key * 0x9e3779b97f4a7c15u >> 24) & (slots_.size() - 1);
  }
  void put(Slot slot) {
    std::size_t at = slot_of(slot.key);
    while (slots_[at].key != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
  Node add_edge(Node node, char byte) {
    if (values_.size() * 2 > slots_.size()) {
      std::vector<Slot> old(slots_.size() * 2);
      old.swap(slots_);
      for (const Slot& slot : old) {
        if (slot.key != 0) put(slot);
      }
    }
    const auto to = static_cast<Node>(values_.size());
    values_.push_back(kNoValue);
    put({key_of(node, byte), to});
    return to;
  }

  std::vector<std::uint32_t> values_;
  std::vector<Slot> slots_;
};

}  // namespace kith::tokenizer
