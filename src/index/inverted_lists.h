// The lists of an inverted file: which vectors each cell has, and what they are scanned by: blocks
// of product codes that lie here (list_blocks.h), or codes that lie elsewhere in the lists' order
// (row_scan.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/id_set.h"
#include "base/row_loader.h"
#include "base/storage.h"
#include "codec/codec.h"
#include "index/allowed.h"
#include "index/cells.h"
#include "index/list_blocks.h"
#include "index/list_scan.h"
#include "index/reservoir.h"
#include "index/row_scan.h"
#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

class InvertedLists {
 public:
  static constexpr std::size_t kAround = 8;  // lists that say how things are around a query

  InvertedLists() = default;
  // Empty. Without product codes, lists hold ids.
  InvertedLists(Cells cells, ListBlocks blocks);

  // The lists with `ids` in them too, ids[i] being row i. Asks for each row in order, twice where
  // there are product codes.
  InvertedLists with(const RowLoader& load, std::span<const Id> ids, const Control& control) const;
  // The lists without these.
  InvertedLists without(const IdSet& gone) const;

  std::size_t lists() const { return cells_.size(); }
  std::size_t size() const { return starts_.back(); }
  double longest() const;  // as a multiple of the mean length
  const ListBlocks& blocks() const { return blocks_; }
  // Where each list begins among all places, and the end.
  std::span<const std::uint64_t> starts() const { return starts_; }
  ByteCounts bytes() const;

  // A worker's memory for the queries of one piece.
  struct Scratch {
    const Allowed* allowed = nullptr;  // all ids are when null
    ProductScan product;               // what lists are scanned by: this,
    std::optional<RowScan> rows;       // or this
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
  // All ids below `slots`: by places, then those that no list has, ascending.
  std::vector<Id> order(std::size_t slots) const;

  // Finds the `probes` nearest lists of each query (of length 1 under cosine), nearest first. The
  // caller starts scratch.reservoirs[i] of each query i.
  void start(MatrixView<const float> queries, std::size_t probes, Scratch& scratch) const;
  // Appends to scratch.reservoirs[i] the allowed candidates of query i in its lists of these ranks;
  // their ids are on their way from memory. `by` was prepared for the queries.
  // Lists are taken one by one, so that a list's codes serve all
  // queries that want them. In several calls, what one finds may narrow the next.
  void scan(std::size_t first, std::size_t last, ListScan& by, Scratch& scratch) const;

  void save(KithFileWriter& writer, Meta& meta) const;
  static InvertedLists load(const KithFileReader& reader, const Meta& meta, Metric metric,
                            std::size_t dim, std::size_t vectors);

 private:
  std::size_t list_size(std::size_t list) const { return starts_[list + 1] - starts_[list]; }
  std::uint32_t list_after(std::size_t begin, std::size_t last, const Scratch& scratch) const;
  void scan_list(std::span<const Scratch::Pair> pairs, std::uint32_t next, ListScan& by,
                 Scratch& scratch) const;
  // Lists of these sizes, to be filled.
  InvertedLists sized(std::span<const std::uint64_t> sizes) const;
  void set_starts(std::span<const std::uint64_t> sizes);

  Cells cells_;
  std::vector<std::uint64_t> starts_ = {0};  // of each list's ids, and the end
  Storage ids_;                              // Id, list after list
  ListBlocks blocks_;
};

}  // namespace kith
