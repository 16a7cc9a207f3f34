// hnswlib (Debian's header-only package), inner product on unit vectors.
#include <hnswlib/hnswlib.h>

#include <algorithm>

#include "base/parallel.h"
#include "bench/peers/peer.h"

namespace kith::bench {
namespace {

constexpr std::size_t kBuildBreadth = 200;  // hnswlib's default ef_construction

class HnswlibIndex : public PeerIndex {
 public:
  HnswlibIndex(MatrixView<const float> base, std::size_t degree, std::size_t threads)
      : space_(base.cols()), graph_(&space_, base.rows(), degree, kBuildBreadth) {
    graph_.addPoint(base.row(0), 0);
    Control control;
    control.threads = threads;
    parallel_for(control, base.rows() - 1, 64,
                 [&](std::size_t begin, std::size_t end, std::size_t) {
                   for (std::size_t i = begin + 1; i <= end; ++i) graph_.addPoint(base.row(i), i);
                 });
  }
  HnswlibIndex(const std::string& path, std::size_t dim) : space_(dim), graph_(&space_, path) {}

  std::size_t bytes() const override {
    std::size_t total = graph_.cur_element_count * graph_.size_data_per_element_;
    for (std::size_t i = 0; i < graph_.cur_element_count; ++i) {
      total += sizeof(char*) + graph_.element_levels_[i] * graph_.size_links_per_element_;
    }
    return total;
  }

  void prepare(const Setting& setting) override { graph_.ef_ = setting.breadth; }

  void search(MatrixView<const float> queries, std::size_t threads,
              MatrixView<Id> ids) const override {
    search_each(queries, threads, ids,
                [this](const float* query, MatrixView<Id> out, std::size_t row) {
                  search_one(query, out, row);
                });
  }

  void save(const std::string& path) const override { graph_.saveIndex(path); }

 private:
  void search_one(const float* query, MatrixView<Id> ids, std::size_t row) const {
    const std::size_t k = ids.cols();
    auto found = graph_.searchKnn(query, k);
    std::fill_n(ids.row(row), k, kNoId);
    for (std::size_t i = found.size(); i > 0; --i, found.pop()) {
      ids(row, i - 1) = static_cast<Id>(found.top().second);
    }
  }

  // hnswlib's calls aren't const, though a search changes nothing but its pool of visited lists.
  mutable hnswlib::InnerProductSpace space_;
  mutable hnswlib::HierarchicalNSW<float> graph_;
};

Variant graph_variant(std::size_t degree) {
  Variant variant;
  variant.peer = "hnswlib";
  variant.name = "M=" + std::to_string(degree);
  variant.details = variant.name + " ef_construction=" + std::to_string(kBuildBreadth);
  variant.counted = "vectors, links of all levels, 8-byte labels";
  sweep_breadths(variant, "ef");
  variant.build = [degree](MatrixView<const float> base, std::size_t threads) {
    return std::make_unique<HnswlibIndex>(base, degree, threads);
  };
  variant.load = [](const std::string& path, MatrixView<const float> base) {
    return std::make_unique<HnswlibIndex>(path, base.cols());
  };
  return variant;
}

}  // namespace

std::vector<Variant> hnswlib_variants(const Shape&) {
  return {graph_variant(16), graph_variant(32)};
}

}  // namespace kith::bench
