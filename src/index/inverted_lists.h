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
#include <memory>
#include <span>
#include <vector>

#include "base/id_set.h"
#include "base/row_loader.h"
#include "base/storage.h"
#include "codec/centres.h"
#include "codec/codec.h"
#include "codec/product.h"
#include "index/allowed.h"
#include "index/centre_graph.h"
#include "index/reservoir.h"
#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

class InvertedLists {
 public:
  static constexpr std::size_t kAround = 8;  // lists that say how things are around a query

  InvertedLists() = default;
  InvertedLists(Metric metric, Centres centres, ProductQuantiser quantiser);

  // With many lists: makes a graph over the centres, by which searches find them.
  void connect_centres(std::uint64_t seed, const Control& control);

  // The lists with `ids` in them too, ids[i] being row i. Asks for each row twice, for all in
  // order.
  InvertedLists with(const RowLoader& load, std::span<const Id> ids, const Control& control) const;
  // The lists without these.
  InvertedLists without(const IdSet& gone) const;

  std::size_t lists() const { return centres_->size(); }
  std::size_t size() const { return starts_.back(); }
  double longest() const;  // as a multiple of the mean length
  const Centres& centres() const { return *centres_; }
  const ProductQuantiser& quantiser() const { return quantiser_; }
  ByteCounts bytes() const;

  // A worker's memory for the queries of one piece.
  struct Scratch {
    const Allowed* allowed = nullptr;  // all ids are when null
    std::vector<ProductQuantiser::Tables> tables;
    std::vector<Reservoir> reservoirs;
    // Of codes in the kAround nearest lists: those near enough to a query, and the allowed ones.
    std::vector<std::size_t> met_around, allowed_around;
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
  // By places in the lists.
  const Id* ids() const { return ids_.as<Id>(); }

  // Finds the `probes` nearest lists of each query (of length 1 under cosine), nearest first, and
  // prepares to scan them. The caller starts scratch.reservoirs[i] of each query i.
  void start(MatrixView<const float> queries, std::size_t probes, Scratch& scratch) const;
  // Appends to scratch.reservoirs[i] the allowed candidates of query i in its lists of these ranks;
  // their ids are on their way from memory.
  // Lists are taken one by one, so that a list's codes serve all
  // queries that want them. In several calls, what one finds may narrow the next.
  void scan(std::size_t first, std::size_t last, Scratch& scratch) const;

  void save(KithFileWriter& writer, Meta& meta) const;
  static InvertedLists load(const KithFileReader& reader, const Meta& meta, Metric metric,
                            std::size_t dim, std::size_t vectors);

 private:
  std::size_t list_size(std::size_t list) const { return starts_[list + 1] - starts_[list]; }
  void find_lists(MatrixView<const float> queries, std::size_t probes, Scratch& scratch) const;
  const std::uint8_t* blocks_of_list(std::size_t list) const {
    return blocks_.as<std::uint8_t>() +
           block_starts_[list] * simd::block_bytes(quantiser_.padded_parts());
  }
  const std::uint8_t* list_after(std::size_t begin, std::size_t last, const Scratch& scratch) const;
  void scan_list(std::span<const Scratch::Pair> pairs, const std::uint8_t* next,
                 Scratch& scratch) const;
  // Turns sizes into where each list's ids and blocks start.
  void set_starts(std::span<const std::uint64_t> sizes);
  InvertedLists(Metric metric, std::shared_ptr<const Centres> centres, ProductQuantiser quantiser);
  // Empty lists of these sizes.
  InvertedLists sized(std::span<const std::uint64_t> sizes) const;
  // Calls take(begin, rows) for pieces of the rows, in order, of length 1 under cosine.
  template <class Take>
  void for_each_piece(const RowLoader& load, std::size_t rows, const Control& control,
                      const Take& take) const;
  std::vector<std::uint32_t> assign(const RowLoader& load, std::size_t rows,
                                    const Control& control) const;
  // The code of a vector of the list, by which it works; returns its term.
  float encode(float* vector, std::size_t list, std::uint8_t* code) const;
  void put(const std::uint8_t* code, float term, Id id, std::size_t list, std::size_t place);

  Metric metric_ = Metric::l2;
  std::shared_ptr<const Centres> centres_ = std::make_shared<Centres>();  // never change
  std::shared_ptr<const CentreGraph> centre_graph_;  // null where lists are few; never changes
  ProductQuantiser quantiser_;
  std::vector<std::uint64_t> starts_, block_starts_;  // one a list and the end
  Storage ids_;                                       // Id, list after list
  Storage blocks_;                                    // each list starts a new block
  Storage terms_;                                     // float, beside ids_; l2 only
};

}  // namespace kith
