#include "index/packed_graph.h"

#include <algorithm>
#include <vector>

namespace kith {

PackedGraph::PackedGraph(const Graph& graph, std::size_t degree)
    : degree_(degree),
      nodes_(graph.size()),
      bits_(bits_for(graph.size())),
      rows_(graph.size() * row_bytes(degree, bits_)) {
  for (Id node = 0; node < nodes_; ++node) set(node, graph.neighbours(node));
}

void PackedGraph::set(Id node, std::span<const Id> ids) {
  thread_local std::vector<Id> slots;
  slots.assign(ids.begin(), ids.end());
  slots.resize(degree_, empty_slot());
  simd::pack_bits(slots.data(), bits_, degree_,
                  rows_.mutable_data() + std::size_t{node} * row_bytes(degree_, bits_));
}

void PackedGraph::resize(std::size_t nodes) {
  const std::size_t before = nodes_;
  if (bits_for(nodes) > bits_) {
    PackedGraph wider(degree_, nodes, bits_for(nodes), Storage());
    wider.rows_.resize(nodes * row_bytes(degree_, wider.bits_));
    std::vector<Id> room(degree_);
    for (Id node = 0; node < before; ++node) wider.set(node, neighbours(node, room.data()));
    *this = std::move(wider);
  }
  nodes_ = nodes;
  rows_.resize(nodes * row_bytes(degree_, bits_));
  for (std::size_t node = before; node < nodes; ++node) set(static_cast<Id>(node), {});
}

Graph PackedGraph::unpacked(std::size_t slots) const {
  Graph graph(slots);
  graph.resize(nodes_);
  std::vector<Id> room(degree_);
  for (Id node = 0; node < nodes_; ++node) {
    graph.set(node, neighbours(node, room.data()));
  }
  return graph;
}

}  // namespace kith
