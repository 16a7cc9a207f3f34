// The lists of an inverted file: each vector belongs to the list of its nearest centre, as a 4-bit
// product code of what the centre leaves over (Jegou, Douze and Schmid, 2011), in blocks that are
// scanned 32 codes at a time.
//
// A vector x of list c with decoded residual r stands for c + r, so with one table a query, of
// weight * <q, r>, every list can be scanned:
//   l2:      |q - x|^2 = |q - c|^2 - 2 <q, r> + (2 <c, r> + |r|^2)     the last a term a vector
//   ip:      -<q, x>   = -<q, c> - <q, r>
//   cosine:  1 - <q, x>, vectors and query of length 1
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/storage.h"
#include "codec/centres.h"
#include "codec/codec.h"
#include "codec/product.h"
#include "index/reservoir.h"
#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

class InvertedLists {
 public:
  static constexpr std::size_t kTrainRows = 100;  // a list, that k-means learns centres from

  InvertedLists() = default;
  InvertedLists(Metric metric, Centres centres, ProductQuantiser quantiser);

  // Adds `ids`, whose vectors are rows id - first of `rows`. Costs a copy of the lists.
  void add(const AnyMatrixView& rows, Id first, std::span<const Id> ids, const Control& control);

  std::size_t lists() const { return centres_.size(); }
  std::size_t size() const { return starts_.back(); }
  const Centres& centres() const { return centres_; }
  const ProductQuantiser& quantiser() const { return quantiser_; }
  ByteCounts bytes() const;

  // A worker's memory for the queries of one piece.
  struct Scratch {
    std::vector<ProductQuantiser::Tables> tables;
    std::vector<Reservoir> reservoirs;
    std::size_t queries = 0, probes = 0;
    std::vector<std::uint32_t> probed;
    std::vector<float> scores, estimates;
    std::vector<std::uint32_t> places;
    struct Pair {
      std::uint32_t list, query, rank;
    };
    std::vector<Pair> pairs, sorted_pairs;
    std::vector<std::uint32_t> ends;
  };
  // Finds the `probes` nearest lists of each query (of length 1 under cosine) and prepares to scan
  // them in waves, nearest lists first, so that what one wave finds may narrow the next. Returns
  // the number of waves. The caller starts scratch.reservoirs[i] of each query i.
  std::size_t start(MatrixView<const float> queries, std::size_t probes, Scratch& scratch) const;
  // Appends to scratch.reservoirs[i] the candidates of query i in its lists of this wave. Lists are
  // taken one by one, so that a list's codes serve all queries that want them.
  void scan(std::size_t wave, Scratch& scratch) const;

  void save(KithFileWriter& writer, Meta& meta) const;
  static InvertedLists load(const KithFileReader& reader, const Meta& meta, Metric metric,
                            std::size_t dim, std::size_t vectors);

 private:
  std::size_t list_size(std::size_t list) const { return starts_[list + 1] - starts_[list]; }
  // Turns sizes into where each list's ids and blocks start.
  void set_starts(std::span<const std::uint64_t> sizes);
  void encode(const AnyMatrixView& rows, Id first, std::span<const Id> ids, std::size_t list,
              std::size_t place);

  Metric metric_ = Metric::l2;
  Centres centres_;
  ProductQuantiser quantiser_;
  std::vector<std::uint64_t> starts_, block_starts_;  // one a list and the end
  Storage ids_;                                       // Id, list after list
  Storage blocks_;                                    // each list starts a new block
  Storage terms_;                                     // float, beside ids_; l2 only
};

}  // namespace kith
