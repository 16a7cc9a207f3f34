// Which vectors a search may return.
//
//   kith::SearchOptions options;
//   options.filter = kith::Filter::ids(in_stock);
//   options.filter = kith::Filter::predicate([&](kith::Id id) { return price[id] < 20; });
//
// A search looks at the share of vectors that pass and chooses its way by it: it walks on and keeps
// what passes, or scans what passes when that is little.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kith/types.h"

namespace kith {

class IdSet;

// Cheap to copy: copies share the bits. Thread-safe.
class Filter {
 public:
  Filter() = default;  // every vector

  // These ids only. Ids that no vector has are harmless.
  static Filter ids(std::span<const Id> allowed);

  // Bit i of word i / 64, counted from the lowest, allows id i; ids beyond the last word are not
  // allowed.
  static Filter bits(std::vector<std::uint64_t> words);

  // Asked during the search, of the ids that come up: from several threads at once, in any order,
  // perhaps several times for one id. About a thousand ids are asked first to estimate how many
  // pass. Prefer ids() or bits() for more than a few searches with one filter.
  static Filter predicate(std::function<bool(Id)> allows);

  bool allows_all() const { return set_ == nullptr && predicate_ == nullptr; }
  // One of them is set unless all are allowed.
  const IdSet* set() const { return set_.get(); }
  const std::function<bool(Id)>* predicate() const { return predicate_.get(); }

 private:
  std::shared_ptr<const IdSet> set_;
  std::shared_ptr<const std::function<bool(Id)>> predicate_;
};

}  // namespace kith
