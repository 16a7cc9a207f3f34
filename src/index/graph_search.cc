#include <algorithm>
#include <cmath>
#include <limits>

#include "index/graph_index.h"
#include "index/scan_codes.h"

namespace kith {
std::size_t GraphIndex::resolve_beam(std::size_t beam, std::size_t k) const {
  return std::min(std::max({beam != 0 ? beam : default_beam, k, std::size_t{1}}), size());
}

void GraphIndex::load_query(const AnyMatrixView& queries, std::size_t row,
                            QueryVectors& vectors) const {
  vectors.primary.resize(dim);
  queries.copy_row(row, vectors.primary.data());
  if (rerank_) {
    vectors.best = vectors.primary;
    rerank_->transform_query(vectors.best.data());
  }
  primary_.transform_query(vectors.primary.data());
}

// Nodes as far as a share of the way from the k-th to the beam-th nearest, by the rule; so few of
// what lies beyond is near that walks find more than by keeping the `beam` nearest, and sooner
// (docs/performance.md). Distances around one query may grow otherwise than around most, so at
// least a quarter of the beam is kept and at most four times. The nearest few may lie much nearer
// than the rest (a copy of the query does), so no fewer than kFewest say where "beyond" begins.
Breadth GraphIndex::breadth(std::size_t k, std::size_t beam) const {
  constexpr std::size_t kFewest = 10, kRoom = 4;
  constexpr float kShare = 0.75f;
  // Who asks for everything walks all that can be reached.
  if (!(growth_ > 0) || beam >= size()) return {beam};
  Breadth breadth;
  breadth.most = std::min(kRoom * beam, size());
  breadth.least = (beam + kRoom - 1) / kRoom;
  breadth.rank = std::min(std::max(k, kFewest), beam);
  const double e_folds = std::log(static_cast<double>(beam) / static_cast<double>(breadth.rank));
  breadth.beyond = kShare * growth_ * static_cast<float>(e_folds);
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

// A walk of breadth b reads about b nodes' lists and scores half of what they lead to. Codes that a
// walk reads are read again and again by other walks, so one costs a scan twice as much (measured
// on the words).
bool GraphIndex::scan_is_cheaper(const Allowed& allowed, double beam) const {
  constexpr double kScanned = 2, kScoredOfList = 0.5;
  return kScanned * static_cast<double>(allowed.count()) <
         kScoredOfList * beam * static_cast<double>(graph_.degree());
}

template <class C>
bool GraphIndex::walk(const C& codec, const typename C::Query& query, const Allowed& allowed,
                      std::size_t k, std::size_t beam, std::size_t most, BeamScratch& scratch,
                      std::vector<Hit>& hits) const {
  // Of allowed vectors that make up a share s of those around the query, the k nearest are among
  // the k / s nearest of all. A walk that finds 10 neighbours at some recall finds n of them at
  // about that recall when it is 1.3 n broader (0.5 to 1.4 n on words, sentences and
  // descriptions).
  constexpr double kBroader = 1.3, kGoodEnough = 2;
  // What is allowed lies too unevenly for distances to say where enough of it was met; to find as
  // many by number takes more of them (docs/performance.md).
  constexpr double kToKeep = 1.5;
  const bool by_number = allowed.filters() && growth_ > 0;
  const double least = static_cast<double>(beam) * (by_number ? kToKeep : 1);
  // And of as many as hold k / s by chance there must be k at two deviations' bad luck.
  const auto broad_enough = [&](double share) {
    if (share == 0) return std::numeric_limits<double>::infinity();
    const auto wanted = static_cast<double>(k);
    return std::max(least + kBroader * (wanted / share - wanted),
                    kBroader * (wanted + 2 * std::sqrt(wanted * (1 - share))) / share);
  };
  const double broad = broad_enough(allowed.share());
  if (allowed.filters() && scan_is_cheaper(allowed, broad)) return false;
  const std::size_t walked =
      broad < static_cast<double>(size()) ? static_cast<std::size_t>(broad) : size();
  beam_search(graph_, codec, query, entries_, by_number ? Breadth{walked} : breadth(k, walked),
              scratch);
  collect(scratch.pool.keys(), allowed, hits);
  if (allowed.filters() && walked < size()) {
    // Around this query the share may be a smaller one: then walking on through all that is there
    // until enough are allowed would take longer than scanning them.
    const double met = static_cast<double>(scratch.pool.keys().size());
    const double local = std::min(1.0, static_cast<double>(hits.size()) / met);
    if (hits.size() < k || broad_enough(local) > kGoodEnough * broad) return false;
  }
  if (hits.size() > most) hits.resize(most);
  return true;
}

// The k nearest allowed, of all of them.
template <class C>
void GraphIndex::scan(const C& codec, const typename C::Query& query, const QueryVectors& vectors,
                      const Allowed& allowed, std::size_t k, std::vector<Hit>& hits) const {
  const float* best_query = (rerank_ ? vectors.best : vectors.primary).data();
  hits = scan_nearest(codec, query, best_scorer(best().codec(), best_query), allowed, size(), k);
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
  const float* query = (rerank_ ? vectors.best : vectors.primary).data();
  std::visit([&](const auto& codec) { rescore_with(codec, query, k, margin, hits); },
             best().codec());
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
