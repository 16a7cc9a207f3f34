// What a peer is to `kith bench peers`: variants (an index built one way), each searched over a
// grid of settings. One file a peer beside this one; bench/peers_module.cc lists them.
//
// All peers get the same rows, scaled to norm 1, so that cosine, inner product and Euclidean
// distance rank alike and each may use the one it is best at.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith::bench {

// How wide a search is. What the numbers mean is the variant's business; `text` says it.
struct Setting {
  std::string text;  // "ef=64"
  std::size_t breadth = 0;
  std::size_t rerank = 0;
};

class PeerIndex {
 public:
  virtual ~PeerIndex() = default;

  // Everything it holds to answer queries, in bytes.
  virtual std::size_t bytes() const = 0;

  // Sets how wide the searches that follow are.
  virtual void prepare(const Setting& setting) = 0;

  // The k nearest of each query into row i of `ids` (kNoId where there are fewer), on `threads`
  // threads. One query is a search by itself; many are a batch. Several threads may call it at
  // once.
  virtual void search(MatrixView<const float> queries, std::size_t threads,
                      MatrixView<Id> ids) const = 0;

  virtual void save(const std::string& path) const = 0;
};

struct Variant {
  std::string peer;      // "hnswlib"
  std::string name;      // "M=16"; with the peer's name it is unique
  std::string details;   // all parameters of the build, which also name the cached file
  std::string counted;   // what bytes() is made of
  bool exact = false;    // finds all by construction
  bool extra = false;    // measured only when asked for: others of its peer say more
  bool batches = false;  // has an own way to search many at once, so batches are measured too
  std::vector<Setting> settings;  // narrow to wide: recall rises
  std::string breadth_word;       // "ef": settings with other breadths may be tried; empty: may not
  std::string revision;           // changes when the same details would give another index
  std::function<std::unique_ptr<PeerIndex>(MatrixView<const float> base, std::size_t threads)>
      build;
  std::function<std::unique_ptr<PeerIndex>(const std::string& path, MatrixView<const float> base)>
      load;
};

// The setting that a variant with this word calls so: {"ef", 10} gives "ef=10".
inline Setting breadth_setting(const std::string& word, std::size_t breadth) {
  return {word + "=" + std::to_string(breadth), breadth, 0};
}

// Settings with the peer's word for its breadth: {"ef", {10, 20}} gives "ef=10" and "ef=20".
inline std::vector<Setting> breadth_settings(const std::string& word,
                                             const std::vector<std::size_t>& breadths) {
  std::vector<Setting> settings;
  for (const std::size_t breadth : breadths) settings.push_back(breadth_setting(word, breadth));
  return settings;
}

// Sweeps a graph by the breadth that its peer calls `word`: one grid for all, so that none has
// finer steps than another.
inline void sweep_breadths(Variant& variant, const std::string& word) {
  variant.breadth_word = word;
  variant.settings =
      breadth_settings(word, {10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024});
}

// A batch for a peer that has none of its own: search_one(query, ids, row) for each, in parallel.
template <class SearchOne>
void search_each(MatrixView<const float> queries, std::size_t threads, MatrixView<Id> ids,
                 const SearchOne& search_one) {
  const auto run = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) search_one(queries.row(i), ids, i);
  };
  if (queries.rows() == 1 || threads == 1) return run(0, queries.rows());
  Control control;
  control.threads = threads;
  parallel_for(control, queries.rows(), 8,
               [&](std::size_t begin, std::size_t end, std::size_t) { run(begin, end); });
}

// What a peer needs to know of the data to choose its parameters.
struct Shape {
  std::size_t rows = 0, dim = 0;
};

std::vector<Variant> kith_variants(const Shape& shape);
std::vector<Variant> faiss_variants(const Shape& shape);
std::vector<Variant> hnswlib_variants(const Shape& shape);
std::vector<Variant> usearch_variants(const Shape& shape);

}  // namespace kith::bench
