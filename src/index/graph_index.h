// The graph index: a navigable graph over the primary codes, searched best-first, the candidates
// re-scored by the best codes. graph_index.cc builds, loads and saves it, graph_search.cc searches,
// graph_change.cc adds and removes while searches run.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "index/beam_search.h"
#include "index/duplicates.h"
#include "index/graph_builder.h"
#include "index/implementation.h"
#include "index/margin.h"
#include "index/packed_graph.h"

namespace kith {

// Scratch for searches, handed out and taken back so that a search allocates nothing after the
// first few.
class ScratchPool {
 public:
  std::unique_ptr<BeamScratch> take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<BeamScratch>();
    std::unique_ptr<BeamScratch> scratch = std::move(free_.back());
    free_.pop_back();
    return scratch;
  }
  void give(std::unique_ptr<BeamScratch> scratch) {
    std::lock_guard lock(mutex_);
    free_.push_back(std::move(scratch));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<BeamScratch>> free_;
};

class GraphIndex : public Index::Implementation {
 public:
  GraphIndex(const AnyMatrixView& rows, std::span<const double> keys, const BuildOptions& options,
             bool choose_codec);
  GraphIndex(const KithFileReader& reader, const Meta& meta);

  std::string kind() const override { return "graph"; }
  Neighbours search(const AnyMatrixView& queries, std::size_t k,
                    const SearchOptions& options) const override;
  RangeNeighbours range(const AnyMatrixView& queries, float radius,
                        const SearchOptions& options) const override;
  IndexInfo info() const override;
  void save_parts(KithFileWriter& writer, Meta& meta) const override;

 private:
  void link(std::span<const Id> ids, const Incoming& rows, const Control& control) override;
  void unlink(bool now, const Control& control) override;
  std::vector<Id> nodes() const;
  void insert_many(std::span<const Id> fresh, const Incoming& rows, const Control& control);
  void take_lists(const Incoming& rows, std::span<const Id> fresh, std::span<const Id> own,
                  const Duplicates& duplicates, Graph& graph) const;
  void insert_few(std::span<const Id> fresh, const Control& control);
  void repair(const Control& control);
  void take_over(const Graph& graph, Duplicates duplicates, std::vector<Id> entries);
  template <class C>
  Id nearest_node(const C& codec, Id id) const;
  std::vector<Id> entries_without(const IdSet& gone, std::span<const Id> heir, const Graph& graph,
                                  std::span<const Id> there) const;

  // A query while it is searched: its floats for the primary and for the best codec.
  struct QueryVectors {
    std::vector<float> primary, best;
  };

  GraphParameters parameters(std::size_t degree) const;
  std::vector<Id> start(const Control& control);
  void choose_entries(std::span<const Id> nodes, const Control& control);
  std::size_t resolve_beam(std::size_t beam, std::size_t k) const;
  template <class Codec, class Emit>
  void search_all(const Codec& codec, const AnyMatrixView& queries, const Control& control,
                  const Emit& emit) const;
  void load_query(const AnyMatrixView& queries, std::size_t row, QueryVectors& vectors) const;
  // How far a search for the k nearest looks that is told this beam.
  Breadth breadth(std::size_t k, std::size_t beam) const;
  // Leaves candidates by the walk's distance, ascending, at most `most`, of those allowed. Where it
  // costs more to meet enough of them than to scan all that are allowed, or seems so on the way, it
  // gives up and returns false.
  template <class C>
  bool walk(const C& codec, const typename C::Query& query, const Allowed& allowed, std::size_t k,
            std::size_t beam, std::size_t most, BeamScratch& scratch, std::vector<Hit>& hits) const;
  template <class C>
  void scan(const C& codec, const typename C::Query& query, const QueryVectors& vectors,
            const Allowed& allowed, std::size_t k, std::vector<Hit>& hits) const;
  // What a search asks of its walks.
  struct Walk {
    const Allowed& allowed;
    std::size_t beam, most;
    float margin;
  };
  template <class C>
  void search_on_disk(const C& codec, const AnyMatrixView& queries, const Control& control,
                      const Walk& walk_by, Neighbours& result) const;
  double scan_in_nodes(const Allowed& allowed) const;
  // Whether the node or a copy of it is allowed.
  bool stands_for_any(Id node, const Allowed& allowed) const;
  void collect(std::span<const BeamKey> keys, const Allowed& allowed, std::vector<Hit>& hits) const;
  void rescore(const QueryVectors& vectors, std::size_t k, float margin,
               std::vector<Hit>& hits) const;
  void measure_margin(const AnyMatrixView& rows, std::span<const Id> held,
                      const BuildOptions& options);

  std::size_t build_beam_;
  std::uint64_t seed_;
  // Of those truly among the nearest, nearly all (margin.h) seem at most this much farther to the
  // walk than they are. Files from before it was measured have none: all candidates are re-scored.
  float margin_ = kNoMargin;
  // To the walk, the m-th nearest lies about growth_ * ln(m / n) farther than the n-th; 0 when it
  // wasn't measured.
  float growth_ = 0;
  PackedGraph graph_;
  std::vector<Id> entries_;
  Duplicates duplicates_;
  mutable ScratchPool scratch_;
};

// Calls emit(query row, its vectors, prepared query, scratch) for every query, in parallel; each
// while the lock is held.
template <class C, class Emit>
void GraphIndex::search_all(const C& codec, const AnyMatrixView& queries, const Control& control,
                            const Emit& emit) const {
  constexpr std::size_t kQueriesAPiece = 16;
  Progress progress(control, "search", queries.rows());
  parallel_for(control, queries.rows(), kQueriesAPiece,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 std::unique_ptr<BeamScratch> scratch = scratch_.take();
                 typename C::Query query;
                 QueryVectors vectors;
                 for (std::size_t row = begin; row < end; ++row) {
                   load_query(queries, row, vectors);
                   codec.prepare(vectors.primary.data(), query);
                   const std::shared_lock lock(mutex);
                   emit(row, vectors, query, *scratch);
                 }
                 scratch_.give(std::move(scratch));
                 progress.add(end - begin);
               });
}

}  // namespace kith
