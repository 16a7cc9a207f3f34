// The adjacency lists of a navigable graph that is being built or changed: `degree` slots a node,
// filled from the front, the rest kNoId.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "base/storage.h"
#include "kith/types.h"

namespace kith {

class Graph {
 public:
  Graph() = default;
  explicit Graph(std::size_t degree) : degree_(degree) {}

  std::size_t degree() const { return degree_; }
  std::size_t size() const { return nodes_; }

  // New nodes have no edges.
  void resize(std::size_t nodes) {
    edges_.resize(nodes * degree_ * sizeof(Id));
    Id* all = edges_.mutable_as<Id>();
    std::fill(all + nodes_ * degree_, all + nodes * degree_, kNoId);
    nodes_ = nodes;
  }

  // The node's slots, in place: `room` is for graphs that must unpack theirs.
  std::span<const Id> slots(Id node, Id* /*room*/ = nullptr) const {
    return {edges_.as<Id>() + std::size_t{node} * degree_, degree_};
  }
  static constexpr Id empty_slot() { return kNoId; }
  std::span<const Id> neighbours(Id node, Id* /*room*/ = nullptr) const {
    const std::span<const Id> row = slots(node);
    return row.first(
        static_cast<std::size_t>(std::find(row.begin(), row.end(), kNoId) - row.begin()));
  }
  // At most degree() ids; different nodes may be set by different threads.
  void set(Id node, std::span<const Id> ids) {
    Id* row = edges_.mutable_as<Id>() + std::size_t{node} * degree_;
    std::fill(std::copy(ids.begin(), ids.end(), row), row + degree_, kNoId);
  }
  void prefetch(Id node) const {
    const Id* row = slots(node).data();
    for (std::size_t i = 0; i < degree_; i += 16) __builtin_prefetch(row + i, 0, 3);
  }

 private:
  std::size_t degree_ = 0, nodes_ = 0;
  Storage edges_;
};

}  // namespace kith
