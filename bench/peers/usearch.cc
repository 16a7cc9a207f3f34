// USearch (headers of its npm package, with NumKong's kernels beside them), inner product on unit
// vectors kept as float32, bfloat16 or 8-bit integers.
#include "bench/peers/usearch_headers.h"

#include <algorithm>

#include "base/parallel.h"
#include "bench/peers/peer.h"
#include "kith/error.h"

namespace kith::bench {
namespace {

namespace us = unum::usearch;
using Graph = us::index_dense_gt<std::uint64_t, std::uint32_t>;

constexpr std::size_t kBuildBreadth = 200;  // as the others; USearch's own default is 128
constexpr std::size_t kMostThreads = 256;

void check(bool ok, const char* what, const char* reason) {
  if (ok) return;
  throw Error(ErrorCode::io, std::string("USearch: ") + what + ": " + (reason ? reason : "failed"));
}

class UsearchIndex : public PeerIndex {
 public:
  UsearchIndex(MatrixView<const float> base, std::size_t degree, us::scalar_kind_t scalar,
               std::size_t threads) {
    // Inner product for floats; 8-bit codes are scaled by the vector's norm, so they take cosine.
    const auto kind =
        scalar == us::scalar_kind_t::i8_k ? us::metric_kind_t::cos_k : us::metric_kind_t::ip_k;
    const us::metric_punned_t metric(base.cols(), kind, scalar);
    check(
        nk_capabilities_compiled() == nk_cap_serial_k || std::string(metric.isa_name()) != "serial",
        "metric", "falls back to plain loops, expected NumKong's kernels");
    us::index_dense_config_t config(degree, kBuildBreadth, 64);
    config.enable_key_lookups = false;
    auto made = Graph::make(metric, config);
    check(static_cast<bool>(made), "make", made.error.release());
    graph_ = std::move(made.index);
    check(graph_.try_reserve({base.rows(), std::max(threads, kMostThreads)}), "reserve", nullptr);
    Control control;
    control.threads = threads;
    parallel_for(control, base.rows(), 64,
                 [&](std::size_t begin, std::size_t end, std::size_t worker) {
                   for (std::size_t i = begin; i < end; ++i) {
                     auto added = graph_.add(i, base.row(i), worker);
                     check(static_cast<bool>(added), "add", added.error.release());
                   }
                 });
  }
  explicit UsearchIndex(const std::string& path) {
    auto made = Graph::make(path.c_str());
    check(static_cast<bool>(made), "load", made.error.release());
    graph_ = std::move(made.index);
    check(graph_.try_reserve({graph_.size(), kMostThreads}), "reserve", nullptr);
  }

  std::size_t bytes() const override { return graph_.serialized_length(); }

  void prepare(const Setting& setting) override { graph_.change_expansion_search(setting.breadth); }

  void search(MatrixView<const float> queries, std::size_t threads,
              MatrixView<Id> ids) const override {
    search_each(queries, threads, ids,
                [this](const float* query, MatrixView<Id> out, std::size_t row) {
                  search_one(query, out, row);
                });
  }

  void save(const std::string& path) const override {
    auto saved = graph_.save(path.c_str());
    check(static_cast<bool>(saved), "save", saved.error.release());
  }

 private:
  void search_one(const float* query, MatrixView<Id> ids, std::size_t row) const {
    const std::size_t k = ids.cols();
    std::fill_n(ids.row(row), k, kNoId);
    const auto found = graph_.search(query, k);
    for (std::size_t i = 0; i < found.size(); ++i) {
      ids(row, i) = static_cast<Id>(found[i].member.key);
    }
  }

  Graph graph_;
};

Variant graph_variant(std::size_t degree, us::scalar_kind_t scalar, const std::string& word) {
  Variant variant;
  variant.peer = "USearch";
  variant.name = word + " M=" + std::to_string(degree);
  variant.details =
      variant.name + " expansion_add=" + std::to_string(kBuildBreadth) + ", NumKong's kernels";
  variant.counted = "its file: vectors as " + word + ", links of all levels, 8-byte keys";
  sweep_breadths(variant, "expansion");
  variant.build = [degree, scalar](MatrixView<const float> base, std::size_t threads) {
    return std::make_unique<UsearchIndex>(base, degree, scalar, threads);
  };
  variant.load = [](const std::string& path, MatrixView<const float>) {
    return std::make_unique<UsearchIndex>(path);
  };
  return variant;
}

}  // namespace

std::vector<Variant> usearch_variants(const Shape&) {
  Variant floats = graph_variant(16, us::scalar_kind_t::f32_k, "f32");
  floats.extra = true;
  return {std::move(floats), graph_variant(16, us::scalar_kind_t::bf16_k, "bf16"),
          graph_variant(16, us::scalar_kind_t::i8_k, "i8")};
}

}  // namespace kith::bench
