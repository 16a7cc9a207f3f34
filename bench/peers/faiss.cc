// FAISS (Debian's package): flat, HNSW, HNSW over 8-bit codes, IVF-PQ fast scan with exact
// refinement. Inner product on unit vectors, but Euclidean where codes are residuals.
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFPQFastScan.h>
#include <faiss/IndexRefine.h>
#include <faiss/index_io.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "bench/peers/peer.h"

namespace kith::bench {
namespace {

constexpr int kBuildBreadth = 100;  // FAISS' default is 40; 200 takes minutes on these sets

// FAISS takes rows that touch.
std::vector<float> contiguous(MatrixView<const float> rows) {
  std::vector<float> copy(rows.rows() * rows.cols());
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    std::copy_n(rows.row(i), rows.cols(), copy.data() + i * rows.cols());
  }
  return copy;
}

class FaissIndex : public PeerIndex {
 public:
  using Apply = void (*)(faiss::Index&, const Setting&);
  using Count = std::size_t (*)(const faiss::Index&);
  FaissIndex(std::unique_ptr<faiss::Index> index, Apply apply, Count count)
      : index_(std::move(index)), apply_(apply), count_(count) {}

  std::size_t bytes() const override { return count_(*index_); }

  void prepare(const Setting& setting) override { apply_(*index_, setting); }

  void search(MatrixView<const float> queries, std::size_t threads,
              MatrixView<Id> ids) const override {
    omp_set_num_threads(static_cast<int>(threads));
    const std::size_t n = queries.rows(), k = ids.cols();
    thread_local std::vector<faiss::Index::idx_t> found;
    thread_local std::vector<float> distances;
    found.resize(n * k);
    distances.resize(n * k);
    if (n == 1) {
      index_->search(1, queries.row(0), static_cast<int>(k), distances.data(), found.data());
    } else {
      const std::vector<float> rows = contiguous(queries);
      index_->search(static_cast<faiss::Index::idx_t>(n), rows.data(), static_cast<int>(k),
                     distances.data(), found.data());
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < k; ++j) {
        const auto id = found[i * k + j];
        ids(i, j) = id < 0 ? kNoId : static_cast<Id>(id);
      }
    }
  }

  void save(const std::string& path) const override {
    faiss::write_index(index_.get(), path.c_str());
  }

 private:
  std::unique_ptr<faiss::Index> index_;
  Apply apply_;
  Count count_;
};

std::size_t links_bytes(const faiss::HNSW& graph) {
  return graph.neighbors.size() * sizeof(graph.neighbors[0]) +
         graph.offsets.size() * sizeof(graph.offsets[0]) +
         graph.levels.size() * sizeof(graph.levels[0]);
}

std::size_t count_flat(const faiss::Index& index) {
  return dynamic_cast<const faiss::IndexFlatCodes&>(index).codes.size();
}
std::size_t count_hnsw(const faiss::Index& index) {
  const auto& graph = dynamic_cast<const faiss::IndexHNSW&>(index);
  return links_bytes(graph.hnsw) + count_flat(*graph.storage);
}
std::size_t count_ivf(const faiss::Index& index) {
  const auto& refined = dynamic_cast<const faiss::IndexRefine&>(index);
  const auto& ivf = dynamic_cast<const faiss::IndexIVFPQFastScan&>(*refined.base_index);
  std::size_t total = count_flat(*refined.refine_index) + count_flat(*ivf.quantizer) +
                      ivf.pq.centroids.size() * sizeof(float);
  for (std::size_t list = 0; list < ivf.nlist; ++list) {
    // Codes come in blocks of 32; an id takes 8 bytes.
    const std::size_t size = ivf.invlists->list_size(list);
    total += (size + 31) / 32 * 32 * ivf.M2 / 2 + size * sizeof(faiss::Index::idx_t);
  }
  return total;
}

void apply_nothing(faiss::Index&, const Setting&) {}
void apply_hnsw(faiss::Index& index, const Setting& setting) {
  dynamic_cast<faiss::IndexHNSW&>(index).hnsw.efSearch = static_cast<int>(setting.breadth);
}
// FAISS gathers more than 20 candidates in reservoirs, which over many code parts abort the process
// (an assertion in partitioning.cpp of 1.7.3); there its heaps do.
void apply_ivf(faiss::Index& index, const Setting& setting) {
  constexpr std::size_t kManyParts = 128;
  constexpr int kHeaps = 12;
  auto& refined = dynamic_cast<faiss::IndexRefine&>(index);
  refined.k_factor = static_cast<float>(setting.rerank);
  auto& ivf = dynamic_cast<faiss::IndexIVFPQFastScan&>(*refined.base_index);
  ivf.nprobe = setting.breadth;
  if (ivf.pq.M > kManyParts) ivf.implem = kHeaps;
}

std::unique_ptr<faiss::Index> filled(std::unique_ptr<faiss::Index> index,
                                     MatrixView<const float> base, std::size_t threads) {
  omp_set_num_threads(static_cast<int>(threads));
  const std::vector<float> rows = contiguous(base);
  const auto n = static_cast<faiss::Index::idx_t>(base.rows());
  if (!index->is_trained) index->train(n, rows.data());
  index->add(n, rows.data());
  return index;
}

// What differs between the variants: how the empty index is made and how it is steered.
struct Recipe {
  std::function<std::unique_ptr<faiss::Index>(int dim)> make;
  FaissIndex::Apply apply;
  FaissIndex::Count count;
};

Variant variant_of(const std::string& name, const Recipe& recipe) {
  Variant variant;
  variant.peer = "FAISS";
  variant.name = name;
  variant.batches = true;
  variant.build = [recipe](MatrixView<const float> base, std::size_t threads) {
    auto index = filled(recipe.make(static_cast<int>(base.cols())), base, threads);
    return std::make_unique<FaissIndex>(std::move(index), recipe.apply, recipe.count);
  };
  variant.load = [recipe](const std::string& path, MatrixView<const float>) {
    std::unique_ptr<faiss::Index> index(faiss::read_index(path.c_str()));
    return std::make_unique<FaissIndex>(std::move(index), recipe.apply, recipe.count);
  };
  return variant;
}

Variant flat_variant() {
  const auto make = [](int dim) { return std::make_unique<faiss::IndexFlatIP>(dim); };
  Variant variant = variant_of("flat", {make, apply_nothing, count_flat});
  variant.details = "flat inner product";
  variant.counted = "vectors";
  variant.exact = true;
  variant.settings = {{"exact", 0, 0}};
  return variant;
}

Variant hnsw_variant(int degree) {
  const auto make = [degree](int dim) {
    auto index = std::make_unique<faiss::IndexHNSWFlat>(dim, degree, faiss::METRIC_INNER_PRODUCT);
    index->hnsw.efConstruction = kBuildBreadth;
    return index;
  };
  const std::string degree_text = "M=" + std::to_string(degree);
  Variant variant = variant_of("HNSW " + degree_text, {make, apply_hnsw, count_hnsw});
  variant.details = variant.name + " efConstruction=" + std::to_string(kBuildBreadth);
  variant.counted = "vectors, links of all levels, offsets, levels";
  sweep_breadths(variant, "efSearch");
  return variant;
}

Variant hnsw_sq8_variant(int degree) {
  const auto make = [degree](int dim) {
    auto index = std::make_unique<faiss::IndexHNSWSQ>(dim, faiss::ScalarQuantizer::QT_8bit, degree,
                                                      faiss::METRIC_L2);
    index->hnsw.efConstruction = kBuildBreadth;
    return index;
  };
  const std::string degree_text = "M=" + std::to_string(degree);
  Variant variant = variant_of("HNSW-SQ8 " + degree_text, {make, apply_hnsw, count_hnsw});
  variant.details = variant.name + " efConstruction=" + std::to_string(kBuildBreadth);
  variant.counted = "8-bit codes, links of all levels, offsets, levels";
  sweep_breadths(variant, "efSearch");
  return variant;
}

// About four lists for the square root of the rows, as FAISS' guidelines have it; two dimensions a
// 4-bit code, four where there are many.
Variant ivf_variant(const Shape& shape) {
  std::size_t lists = 1;
  while (lists * lists < 8 * shape.rows) lists *= 2;
  const std::size_t codes = shape.dim / (shape.dim > 256 ? 4 : 2);
  const auto make = [lists, codes](int dim) {
    auto* quantizer = new faiss::IndexFlatL2(dim);
    auto* ivf = new faiss::IndexIVFPQFastScan(quantizer, static_cast<std::size_t>(dim), lists,
                                              codes, 4, faiss::METRIC_L2);
    ivf->own_fields = true;
    auto index = std::make_unique<faiss::IndexRefineFlat>(ivf);
    index->own_fields = true;
    return index;
  };
  Variant variant = variant_of("IVF-PQ fast scan, refined", {make, apply_ivf, count_ivf});
  variant.details = "IVF" + std::to_string(lists) + ",PQ" + std::to_string(codes) + "x4fs,RFlat";
  variant.counted = "vectors, 4-bit codes in blocks of 32, 8-byte ids, centroids";
  for (const std::size_t probes : {2, 4, 8, 16, 32, 64, 128}) {
    for (const std::size_t factor : {3, 10, 30}) {
      variant.settings.push_back(
          {"nprobe=" + std::to_string(probes) + " k_factor=" + std::to_string(factor), probes,
           factor});
    }
  }
  return variant;
}

}  // namespace

std::vector<Variant> faiss_variants(const Shape& shape) {
  Variant narrow = hnsw_variant(16);
  narrow.extra = true;
  return {flat_variant(), std::move(narrow), hnsw_variant(32), hnsw_sq8_variant(32),
          ivf_variant(shape)};
}

}  // namespace kith::bench
