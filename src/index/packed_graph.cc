#include "index/packed_graph.h"

#include <algorithm>
#include <vector>

namespace kith {

PackedGraph::PackedGraph(const Graph& graph, std::size_t degree)
    : degree_(degree),
      nodes_(graph.size()),
      bits_(bits_for(graph.size())),
      rows_(graph.size() * row_bytes(degree, bits_)) {
  std::vector<Id> slots(degree);
  std::byte* out = rows_.mutable_data();
  for (Id node = 0; node < nodes_; ++node, out += row_bytes(degree_, bits_)) {
    const std::span<const Id> list = graph.neighbours(node);
    std::fill(std::copy(list.begin(), list.end(), slots.begin()), slots.end(), empty_slot());
    simd::pack_bits(slots.data(), bits_, degree_, out);
  }
}

Graph PackedGraph::unpacked(std::size_t slots) const {
  Graph graph(slots);
  graph.resize(nodes_);
  std::vector<Id> room(degree_);
  for (Id node = 0; node < nodes_; ++node) {
    const std::span<const Id> row = this->slots(node, room.data());
    const auto end = std::find(row.begin(), row.end(), empty_slot());
    graph.set(node, row.first(static_cast<std::size_t>(end - row.begin())));
  }
  return graph;
}

}  // namespace kith
