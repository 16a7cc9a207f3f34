// Graph searches that reproductions compare: hnswlib's, FAISS' and kith's, built on one thread over
// unit vectors that are inserted in a given order. Results are the rows' numbers whatever the
// order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kith/index.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"

namespace kith::papers {

class Graph {
 public:
  virtual ~Graph() = default;
  // The k nearest of each query by a search that keeps `ef` candidates, on this thread.
  virtual Neighbours search(MatrixView<const float> queries, std::size_t k,
                            std::size_t ef) const = 0;
  // Each node's out-edges on the bottom layer (nodes in any numbering); empty where the library
  // shows none.
  virtual std::vector<std::vector<Id>> edges() const { return {}; }
};

struct GraphEngine {
  std::string name;
  // `order` names every row of `base`, which must outlive the graph, once; `seed` draws levels.
  std::function<std::unique_ptr<Graph>(MatrixView<const float> base, std::span<const Id> order,
                                       std::uint64_t seed)>
      build;
};

// HNSW (Malkov and Yashunin 2016): `degree` edges a node, twice as many on the bottom layer.
GraphEngine hnswlib_engine(std::size_t degree, std::size_t ef_construction);
// FAISS puts its rows in an order of its own when it gets many at once, so it gets one at a time.
GraphEngine faiss_engine(std::size_t degree, std::size_t ef_construction);
// kith's graph with these options, but for the metric, order, seed and threads.
GraphEngine kith_engine(const std::string& name, const BuildOptions& options);

// The mean number of edges on the shortest paths from `sources` random nodes to all that can be
// reached from them.
double mean_path_length(std::span<const std::vector<Id>> edges, std::size_t sources,
                        std::uint64_t seed);

}  // namespace kith::papers
