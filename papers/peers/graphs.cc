#include "papers/peers/graphs.h"

#include <faiss/IndexHNSW.h>
#include <hnswlib/hnswlib.h>
#include <omp.h>

#include <algorithm>
#include <limits>

#include "base/copy_rows.h"
#include "base/random.h"

namespace kith::papers {
namespace {

class HnswlibGraph : public Graph {
 public:
  HnswlibGraph(MatrixView<const float> base, std::span<const Id> order, std::uint64_t seed,
               std::size_t degree, std::size_t ef_construction)
      : space_(base.cols()), graph_(&space_, base.rows(), degree, ef_construction, seed) {
    for (const Id id : order) graph_.addPoint(base.row(id), id);
  }

  Neighbours search(MatrixView<const float> queries, std::size_t k, std::size_t ef) const override {
    graph_.ef_ = ef;
    Neighbours found(queries.rows(), k);
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      auto nearest = graph_.searchKnn(queries.row(q), k);
      std::fill_n(found.ids.row(q), k, kNoId);
      std::fill_n(found.distances.row(q), k, std::numeric_limits<float>::infinity());
      for (std::size_t i = nearest.size(); i > 0; --i, nearest.pop()) {
        found.distances(q, i - 1) = nearest.top().first;
        found.ids(q, i - 1) = static_cast<Id>(nearest.top().second);
      }
    }
    return found;
  }

  std::vector<std::vector<Id>> edges() const override {
    std::vector<std::vector<Id>> all(graph_.cur_element_count);
    for (std::size_t node = 0; node < all.size(); ++node) {
      auto* list = graph_.get_linklist0(static_cast<hnswlib::tableint>(node));
      all[node].assign(list + 1, list + 1 + graph_.getListCount(list));
    }
    return all;
  }

 private:
  // hnswlib's calls aren't const, though a search changes nothing but its pool of visited lists.
  mutable hnswlib::InnerProductSpace space_;
  mutable hnswlib::HierarchicalNSW<float> graph_;
};

class FaissGraph : public Graph {
 public:
  FaissGraph(MatrixView<const float> base, std::span<const Id> order, std::uint64_t seed,
             std::size_t degree, std::size_t ef_construction)
      : order_(order.begin(), order.end()),
        graph_(static_cast<int>(base.cols()), static_cast<int>(degree),
               faiss::METRIC_INNER_PRODUCT) {
    omp_set_num_threads(1);
    graph_.hnsw.efConstruction = static_cast<int>(ef_construction);
    graph_.hnsw.rng = faiss::RandomGenerator(static_cast<std::int64_t>(seed));
    for (const Id id : order) graph_.add(1, base.row(id));
  }

  Neighbours search(MatrixView<const float> queries, std::size_t k, std::size_t ef) const override {
    omp_set_num_threads(1);
    graph_.hnsw.efSearch = static_cast<int>(ef);
    Neighbours found(queries.rows(), k);
    std::vector<faiss::Index::idx_t> places(k);
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      graph_.search(1, queries.row(q), static_cast<faiss::Index::idx_t>(k), found.distances.row(q),
                    places.data());
      for (std::size_t i = 0; i < k; ++i) {
        found.ids(q, i) = places[i] < 0 ? kNoId : order_[static_cast<std::size_t>(places[i])];
      }
    }
    return found;
  }

  std::vector<std::vector<Id>> edges() const override {
    std::vector<std::vector<Id>> all(order_.size());
    for (std::size_t node = 0; node < all.size(); ++node) {
      std::size_t begin = 0, end = 0;
      graph_.hnsw.neighbor_range(static_cast<faiss::Index::idx_t>(node), 0, &begin, &end);
      for (std::size_t i = begin; i < end && graph_.hnsw.neighbors[i] >= 0; ++i) {
        all[node].push_back(static_cast<Id>(graph_.hnsw.neighbors[i]));
      }
    }
    return all;
  }

 private:
  std::vector<Id> order_;
  mutable faiss::IndexHNSWFlat graph_;  // its breadth is set for a search
};

class KithGraph : public Graph {
 public:
  KithGraph(MatrixView<const float> base, std::span<const Id> order, const BuildOptions& options)
      : order_(order.begin(), order.end()),
        index_(Index::build(copy_rows(base, order_), Labels(), options)) {}

  Neighbours search(MatrixView<const float> queries, std::size_t k, std::size_t ef) const override {
    SearchOptions options;
    options.beam = ef;
    options.control.threads = 1;
    Neighbours found = index_.search(queries, k, options);
    for (std::size_t q = 0; q < found.queries(); ++q) {
      for (std::size_t i = 0; i < k; ++i) {
        if (found.ids(q, i) != kNoId) found.ids(q, i) = order_[found.ids(q, i)];
      }
    }
    return found;
  }

 private:
  std::vector<Id> order_;
  Index index_;
};

template <class T>
GraphEngine hnsw_engine(const std::string& name, std::size_t degree, std::size_t ef_construction) {
  return {name, [=](MatrixView<const float> base, std::span<const Id> order, std::uint64_t seed) {
            return std::make_unique<T>(base, order, seed, degree, ef_construction);
          }};
}

}  // namespace

GraphEngine hnswlib_engine(std::size_t degree, std::size_t ef_construction) {
  return hnsw_engine<HnswlibGraph>("hnswlib", degree, ef_construction);
}

GraphEngine faiss_engine(std::size_t degree, std::size_t ef_construction) {
  return hnsw_engine<FaissGraph>("FAISS", degree, ef_construction);
}

GraphEngine kith_engine(const std::string& name, const BuildOptions& options) {
  return {name,
          [options](MatrixView<const float> base, std::span<const Id> order, std::uint64_t seed) {
            BuildOptions own = options;
            own.index = "graph";
            own.metric = Metric::cosine;
            own.order = "given";
            own.seed = seed;
            own.control.threads = 1;
            return std::make_unique<KithGraph>(base, order, own);
          }};
}

double mean_path_length(std::span<const std::vector<Id>> edges, std::size_t sources,
                        std::uint64_t seed) {
  constexpr std::uint32_t kUnreached = ~std::uint32_t{0};
  double sum = 0, count = 0;
  std::vector<std::uint32_t> steps(edges.size());
  std::vector<Id> queue;
  for (const Id source : random_sample(edges.size(), sources, seed)) {
    std::fill(steps.begin(), steps.end(), kUnreached);
    steps[source] = 0;
    queue.assign(1, source);
    for (std::size_t i = 0; i < queue.size(); ++i) {
      const Id node = queue[i];
      for (const Id next : edges[node]) {
        if (steps[next] != kUnreached) continue;
        steps[next] = steps[node] + 1;
        queue.push_back(next);
      }
    }
    for (std::size_t i = 1; i < queue.size(); ++i) sum += steps[queue[i]];
    count += static_cast<double>(queue.size() - 1);
  }
  return count == 0 ? 0 : sum / count;
}

}  // namespace kith::papers
