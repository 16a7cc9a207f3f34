// kith itself, through its public interface only.
#include <dlfcn.h>

#include <algorithm>
#include <span>

#include "base/checksum.h"
#include "base/mapped_file.h"
#include "bench/peers/peer.h"
#include "kith/index.h"

namespace kith::bench {
namespace {

class KithIndex : public PeerIndex {
 public:
  explicit KithIndex(Index index) : index_(std::move(index)) {}

  std::size_t bytes() const override {
    std::size_t total = 0;
    for (const auto& part : index_.info().bytes) total += part.second;
    return total;
  }

  void prepare(const Setting& setting) override { options_.beam = setting.breadth; }

  void search(MatrixView<const float> queries, std::size_t threads,
              MatrixView<Id> ids) const override {
    SearchOptions options = options_;
    options.control.threads = threads;
    const Neighbours found = index_.search(queries, ids.cols(), options);
    for (std::size_t i = 0; i < ids.rows(); ++i) {
      std::copy_n(found.ids.row(i), ids.cols(), ids.row(i));
    }
  }

  void save(const std::string& path) const override { index_.save(path); }

 private:
  Index index_;
  SearchOptions options_;
};

// A checksum of libkith's file: another build of it may make another index.
std::string library_revision() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&checksum), &info) == 0) return "";
  return std::to_string(checksum(MappedFile::open(info.dli_fname)->bytes()));
}

Variant variant_of(const std::string& name, const BuildOptions& options) {
  Variant variant;
  variant.peer = "kith";
  variant.name = name;
  variant.details = name;
  variant.counted = "every section of its file";
  variant.batches = true;
  sweep_breadths(variant, "beam");
  variant.revision = library_revision();
  variant.build = [options](MatrixView<const float> base, std::size_t threads) {
    BuildOptions with_threads = options;
    with_threads.metric = Metric::cosine;
    with_threads.control.threads = threads;
    return std::make_unique<KithIndex>(Index::build(base, Labels(), with_threads));
  };
  variant.load = [](const std::string& path, MatrixView<const float>) {
    return std::make_unique<KithIndex>(Index::open(path, {.in_memory = true}));
  };
  return variant;
}

}  // namespace

std::vector<Variant> kith_variants(const Shape&) {
  BuildOptions floats;
  floats.codec = "f32";
  Variant plain = variant_of("f32", floats);
  plain.extra = true;
  BuildOptions exact = floats;
  exact.index = "flat";
  Variant flat = variant_of("--index flat --codec f32", exact);
  flat.exact = true;
  flat.settings = {{"exact", 0, 0}};
  BuildOptions higher, graph, higher_graph, inverted, higher_inverted;
  higher.recall = higher_graph.recall = higher_inverted.recall = 0.99;
  graph.index = higher_graph.index = "graph";
  inverted.index = higher_inverted.index = "ivf";
  return {variant_of("default", {}),
          variant_of("--recall 0.99", higher),
          variant_of("--index graph", graph),
          variant_of("--index graph --recall 0.99", higher_graph),
          variant_of("--index ivf", inverted),
          variant_of("--index ivf --recall 0.99", higher_inverted),
          std::move(flat),
          std::move(plain)};
}

}  // namespace kith::bench
