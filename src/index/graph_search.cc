#include <algorithm>
#include <cmath>
#include <limits>

#include "index/graph_index.h"
#include "index/scan_codes.h"
#include "index/verify.h"

namespace kith {
std::size_t GraphIndex::resolve_beam(std::size_t beam, std::size_t k) const {
  return std::min(std::max({beam != 0 ? beam : default_beam, k, std::size_t{1}}), size());
}

void GraphIndex::load_query(const AnyMatrixView& queries, std::size_t row,
                            QueryVectors& vectors) const {
  vectors.primary.resize(queries.dim());
  queries.copy_row(row, vectors.primary.data());
  if (rerank_) {
    vectors.best = vectors.primary;
    rerank_->transform_query(vectors.best.data());
  }
  primary_.transform_query(vectors.primary.data());
}

// Nodes as far as a share of the way from the k-th to the beam-th nearest, by the rule; so few of
// what lies beyond is near that walks find more than by keeping the `beam` nearest, and sooner
// (docs/performance.md). The nearest few may lie much nearer than the rest (a copy of the query
// does), so no fewer than kFewest say where "beyond" begins.
Breadth GraphIndex::breadth(std::size_t k, std::size_t beam) const {
  constexpr std::size_t kFewest = 10;
  constexpr float kShare = 0.75f;
  Breadth breadth;
  breadth.most = beam;
  breadth.rank = std::min(std::max(k, kFewest), beam);
  breadth.beam = beam;
  // Who asks for everything walks all that can be reached.
  if (growth_ > 0 && beam < size()) {
    breadth.most = std::min(Breadth::kRoom * beam, size());
    breadth.growth = kShare * growth_;
  }
  return breadth;
}

// The allowed candidates, copies of stored vectors included.
void GraphIndex::collect(std::span<const BeamKey> keys, const Allowed& allowed,
                         std::vector<Hit>& hits) const {
  hits.clear();
  hits.reserve(keys.size());
  for (BeamKey key : keys) {
    const float distance = beam_distance(key);
    if (allowed(beam_id(key))) hits.push_back({distance, beam_id(key)});
    for (const Duplicate& pair : duplicates_.of(beam_id(key))) {
      if (allowed(pair.member)) hits.push_back({distance, pair.member});
    }
  }
}

bool GraphIndex::stands_for_any(Id node, const Allowed& allowed) const {
  if (allowed(node)) return true;
  const std::span<const Duplicate> others = duplicates_.of(node);
  return std::any_of(others.begin(), others.end(),
                     [&](const Duplicate& pair) { return allowed(pair.member); });
}

// How many nodes a walk expands while a scan reads all that is allowed. A walk scores half of what
// a list leads to, one here and one there; a scan reads in order and knows what comes next
// (measured on the words).
double GraphIndex::scan_in_nodes(const Allowed& allowed) const {
  constexpr double kScanned = 0.4, kScoredOfList = 0.5;
  return kScanned * static_cast<double>(allowed.count()) /
         (kScoredOfList * static_cast<double>(graph_.degree()));
}

template <class C>
bool GraphIndex::walk(const C& codec, const typename C::Query& query, const Allowed& allowed,
                      std::size_t k, std::size_t beam, std::size_t most, BeamScratch& scratch,
                      std::vector<Hit>& hits) const {
  Breadth broad = breadth(k, beam);
  if (!allowed.filters() && removed_.empty()) {
    beam_search(graph_, codec, query, entries_, broad, scratch);
    collect(scratch.pool.keys(), allowed, hits);
  } else {
    // Where those that are allowed lie like all others, the k nearest are among k / share.
    const double expected = broad.beam_for(static_cast<double>(broad.rank) / allowed.share());
    if (allowed.filters()) broad.worth = scan_in_nodes(allowed);
    if (!(expected <= broad.worth)) return false;
    const double room = std::isfinite(broad.growth) ? Breadth::kRoom : 1;
    broad.most = static_cast<std::size_t>(std::min(room * expected, static_cast<double>(size())));
    beam_search(graph_, codec, query, entries_, broad, scratch,
                [&](Id node) { return stands_for_any(node, allowed); });
    collect(scratch.pool.keys(), allowed, hits);
    if (allowed.filters() && (scratch.pool.gave_up() || hits.size() < k)) return false;
  }
  if (hits.size() > most) hits.resize(most);
  return true;
}

// The k nearest allowed, of all of them.
template <class C>
void GraphIndex::scan(const C& codec, const typename C::Query& query, const QueryVectors& vectors,
                      const Allowed& allowed, std::size_t k, std::vector<Hit>& hits) const {
  const float* best_query = (rerank_ ? vectors.best : vectors.primary).data();
  hits = scan_nearest(codec, query, best_scorer(best(), best_query), allowed, size(), k);
}

// Leaves the k nearest by the best codes, ascending. Hits come in order of the walk's distances;
// those that are farther than the k-th by more than the margin can't matter. While a piece is
// scored, the next is on its way from memory.
template <class C>
void rescore_with(const C& codec, const float* query, std::size_t k, float margin,
                  std::vector<Hit>& hits) {
  constexpr std::size_t kPiece = 16;
  thread_local typename C::Query prepared;
  Id ids[kPiece];
  float distances[kPiece];
  codec.prepare(query, prepared);
  TopK nearest(k);
  const auto fetch = [&](std::size_t first) {
    for (std::size_t i = first; i < std::min(first + kPiece, hits.size()); ++i) {
      codec.prefetch_best(hits[i].id);
    }
  };
  fetch(0);
  for (std::size_t first = 0; first < hits.size(); first += kPiece) {
    if (hits[first].distance > nearest.threshold() + margin) break;
    fetch(first + kPiece);
    const std::size_t count = std::min(kPiece, hits.size() - first);
    for (std::size_t i = 0; i < count; ++i) ids[i] = hits[first + i].id;
    codec.score_best(prepared, ids, count, distances);
    for (std::size_t i = 0; i < count; ++i) nearest.push(distances[i], ids[i]);
  }
  hits = nearest.take_sorted();
}

void GraphIndex::rescore(const QueryVectors& vectors, std::size_t k, float margin,
                         std::vector<Hit>& hits) const {
  if (best().on_disk()) {
    Unverified one{vectors.best, std::move(hits)};
    verify(best(), std::span(&one, 1), k, margin, {});
    hits = std::move(one.hits);
    return;
  }
  const float* query = (rerank_ ? vectors.best : vectors.primary).data();
  std::visit([&](const auto& codec) { rescore_with(codec, query, k, margin, hits); },
             best().codec());
}

// Walks of some queries first; then what they found is read at once.
template <class C>
void GraphIndex::search_on_disk(const C& codec, const AnyMatrixView& queries,
                                const Control& control, const Walk& walk_by,
                                Neighbours& result) const {
  Progress progress(control, "search", queries.rows());
  parallel_for(control, queries.rows(), kVerifiedTogether,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 std::unique_ptr<BeamScratch> scratch = scratch_.take();
                 typename C::Query query;
                 QueryVectors vectors;
                 std::vector<Unverified> block(end - begin);
                 for (std::size_t row = begin; row < end; ++row) {
                   load_query(queries, row, vectors);
                   codec.prepare(vectors.primary.data(), query);
                   Unverified& own = block[row - begin];
                   own.query = vectors.best;
                   const std::shared_lock lock(mutex);
                   if (!walk(codec, query, walk_by.allowed, result.k(), walk_by.beam, walk_by.most,
                             *scratch, own.hits)) {
                     scan(codec, query, vectors, walk_by.allowed, result.k(), own.hits);
                   }
                 }
                 scratch_.give(std::move(scratch));
                 verify(best(), block, result.k(), walk_by.margin, control);
                 for (std::size_t row = begin; row < end; ++row) {
                   put_hits(block[row - begin].hits, row, result);
                 }
                 progress.add(end - begin);
               });
}

Neighbours GraphIndex::search(const AnyMatrixView& queries, std::size_t k,
                              const SearchOptions& options) const {
  Neighbours result(queries.rows(), k);
  std::shared_lock lock(mutex);
  const std::size_t beam = resolve_beam(options.beam, k);
  const Allowed chosen = allowed(options.filter);
  const std::size_t most =
      options.rerank != 0 ? std::max(options.rerank, k) : breadth(k, beam).most;
  lock.unlock();
  const float margin = options.rerank != 0 ? kNoMargin : margin_;
  if (best().on_disk()) {
    const Walk walk_by{chosen, beam, most, margin};
    std::visit(
        [&](const auto& codec) {
          search_on_disk(codec, queries, options.control, walk_by, result);
        },
        primary_.codec());
    return result;
  }
  std::visit(
      [&](const auto& codec) {
        search_all(codec, queries, options.control,
                   [&](std::size_t row, const QueryVectors& vectors, const auto& query,
                       BeamScratch& scratch) {
                     thread_local std::vector<Hit> hits;
                     if (walk(codec, query, chosen, k, beam, most, scratch, hits)) {
                       rescore(vectors, k, margin, hits);
                     } else {
                       scan(codec, query, vectors, chosen, k, hits);
                     }
                     put_hits(hits, row, result);
                   });
      },
      primary_.codec());
  return result;
}

// Widens the beam until its far end lies outside the radius: then nothing inside was pushed out.
RangeNeighbours GraphIndex::range(const AnyMatrixView& queries, float radius,
                                  const SearchOptions& options) const {
  std::vector<std::vector<Hit>> all(queries.rows());
  std::shared_lock lock(mutex);
  const Allowed chosen = allowed(options.filter);
  lock.unlock();
  // Codes misjudge distances: look a little past the radius before re-scoring decides.
  const float limit = radius + 0.1f * std::abs(radius);
  std::visit(
      [&](const auto& codec) {
        search_all(codec, queries, options.control,
                   [&](std::size_t row, const QueryVectors& vectors, const auto& query,
                       BeamScratch& scratch) {
                     std::size_t beam = resolve_beam(options.beam, 1);
                     beam_search(graph_, codec, query, entries_, beam, scratch);
                     while (beam < size() && scratch.pool.keys().size() == beam &&
                            scratch.pool.threshold() <= limit) {
                       throw_if_cancelled(options.control);
                       beam = std::min(2 * beam, size());
                       beam_search(graph_, codec, query, entries_, beam, scratch);
                     }
                     std::vector<Hit>& hits = all[row];
                     collect(scratch.pool.keys(), chosen, hits);
                     rescore(vectors, hits.size(), kNoMargin, hits);
                     while (!hits.empty() && hits.back().distance > radius) hits.pop_back();
                   });
      },
      primary_.codec());
  return range_neighbours(all);
}

}  // namespace kith
