// The adjacency lists of a navigable graph: `degree` slots a node, filled from the front, the rest
// kNoId. Rows start on cache lines when they can be mapped so (64-byte multiples).
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
  Graph(std::size_t degree, std::size_t nodes, Storage edges)
      : degree_(degree), nodes_(nodes), edges_(std::move(edges)) {}

  std::size_t degree() const { return degree_; }
  std::size_t size() const { return nodes_; }
  const Storage& storage() const { return edges_; }

  // New nodes have no edges. Also makes the edges writable (copies a mapped file's).
  void resize(std::size_t nodes) {
    edges_.resize(nodes * degree_ * sizeof(Id));
    Id* all = edges_.mutable_as<Id>();
    std::fill(all + nodes_ * degree_, all + nodes * degree_, kNoId);
    nodes_ = nodes;
  }

  // The same lists in rows of another width, which must hold them.
  Graph with_degree(std::size_t degree) const {
    Graph other(degree);
    other.resize(nodes_);
    for (Id node = 0; node < nodes_; ++node) other.set(node, neighbours(node));
    return other;
  }

  const Id* slots(Id node) const { return edges_.as<Id>() + std::size_t{node} * degree_; }
  std::span<const Id> neighbours(Id node) const {
    const Id* row = slots(node);
    return {row, static_cast<std::size_t>(std::find(row, row + degree_, kNoId) - row)};
  }
  // At most degree() ids; different nodes may be set by different threads.
  void set(Id node, std::span<const Id> ids) {
    Id* row = edges_.mutable_as<Id>() + std::size_t{node} * degree_;
    std::fill(std::copy(ids.begin(), ids.end(), row), row + degree_, kNoId);
  }
  void prefetch(Id node) const {
    const Id* row = slots(node);
    for (std::size_t i = 0; i < degree_; i += 16) __builtin_prefetch(row + i, 0, 3);
  }

 private:
  std::size_t degree_ = 0, nodes_ = 0;
  Storage edges_;
};

}  // namespace kith
