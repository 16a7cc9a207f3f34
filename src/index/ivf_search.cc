// The inverted-file index searched.
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "base/copy_rows.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "index/by_id.h"
#include "index/ivf_index.h"
#include "index/scan_codes.h"
#include "index/verify.h"

namespace kith {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Of the neighbours that may be lost; a first level errs little, so its margin is narrow anyway.
constexpr double kLevelShare = 0.25;

// Lists are scanned in waves, each with three times as many lists as all before: up to 1, 4, 16 ...
std::size_t wave_end(std::size_t first, std::size_t all) {
  constexpr std::size_t kFirst = 1, kGrowth = 4;
  return std::min(std::max(kFirst, kGrowth * first), all);
}

}  // namespace

Refiner IvfIndex::refiner() const {
  const bool own = holds_rows() && !rerank_;
  const bool settled =
      own && std::visit([]<class C>(const C&) { return kScoresBest<C>; }, primary_.codec());
  return {lists_.ids(), own, settled, margin_, level_margin_};
}

void IvfIndex::start_lists(const Matrix<float>& queries, std::size_t probes,
                           InvertedLists::Scratch& scratch) const {
  if (!primary_.reads_other_queries()) return lists_.start(queries, probes, scratch);
  Matrix<float> among(queries.rows(), dim);  // cells are of the stored vectors' model
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    primary_.decode_query(queries.row(q), among.row(q));
  }
  lists_.start(among, probes, scratch);
}

template <class C>
ListScan& IvfIndex::list_scan(const Matrix<float>& queries, const C& codec,
                              std::vector<Refined<C>>& refined,
                              InvertedLists::Scratch& scratch) const {
  if (!holds_rows()) {
    scratch.product.prepare(lists_.blocks(), queries);
    return scratch.product;
  }
  if (rerank_) return scratch.rows.emplace(row_scan(lists_.starts(), primary_, queries));
  return scratch.rows.emplace(
      row_scan(lists_.starts(), codec,
               [&refined](std::size_t q) -> const typename C::Query& { return refined[q].query; }));
}

template <class Emit>
void IvfIndex::search_all(const AnyMatrixView& queries, const SearchOptions& options,
                          std::size_t depth, std::size_t k, float radius, const Emit& emit) const {
  constexpr std::size_t kMostAtOnce = 256;  // their tables stay in cache
  constexpr double kFewOfExpected = 0.7;
  const Control& control = options.control;
  std::shared_lock lock(mutex);
  const Allowed chosen = allowed(options.filter);
  const std::size_t wanted = options.beam != 0 ? options.beam : default_beam;
  const bool nearest_of_some = chosen.filters() && radius == kInfinity;
  const std::size_t enough = radius == kInfinity ? enough_probes(wanted, chosen) : wanted;
  const bool at_once = depth != 0 && !refiner().settled;  // a fixed number of candidates
  lock.unlock();
  const std::size_t share = queries.rows() / thread_count(control);
  const std::size_t piece =
      std::clamp<std::size_t>(share, 1, best().on_disk() ? kVerifiedTogether : kMostAtOnce);
  Progress progress(control, "search", queries.rows());
  const auto search = [&]<class C>(const C& codec, std::size_t begin, std::size_t end) {
    thread_local InvertedLists::Scratch scratch;
    thread_local std::vector<Refined<C>> refined;
    const std::size_t n = end - begin;
    std::optional<FetchedRecords> records;
    if (best().on_disk()) records.emplace(best());
    Matrix<float> x(n, queries.dim());
    for (std::size_t i = 0; i < n; ++i) load_row(queries, begin + i, metric, x.row(i));
    scratch.allowed = removed_.empty() && !chosen.filters() ? nullptr : &chosen;
    start_lists(x, enough, scratch);
    if (refined.size() < n) refined.resize(n);
    ListScan& scan = list_scan(x, codec, refined, scratch);
    const Refiner refiner = this->refiner();
    for (std::size_t i = 0; i < n; ++i) {
      scratch.reservoirs[i].start(at_once ? depth : Reservoir::kUnbounded, radius + margin_);
      best().transform_query(x.row(i));
      codec.prepare(x.row(i), refined[i].query);
      if constexpr (requires { codec.prepare_for_many(refined[i].query); }) {
        codec.prepare_for_many(refined[i].query);
      }
      refined[i].radius = radius;
      refined[i].nearest = TopK(k);
    }
    for (std::size_t first = 0; first < scratch.probes;) {
      const std::size_t last = at_once ? scratch.probes : wave_end(first, scratch.probes);
      lists_.scan(first, last, scan, scratch);
      if (records) {
        throw_if_cancelled(control);
        refiner.refine_on_disk<C>(*records, std::span(scratch.reservoirs).first(n),
                                  std::span(refined).first(n));
      } else {
        for (std::size_t i = 0; i < n; ++i)
          refiner.refine(codec, scratch.reservoirs[i], refined[i]);
      }
      first = last;
    }
    for (std::size_t i = 0; i < n; ++i) {
      const double expected = chosen.share() * static_cast<double>(scratch.met_around[i]);
      const bool few = static_cast<double>(scratch.allowed_around[i]) < kFewOfExpected * expected;
      if (nearest_of_some && (few || !refined[i].nearest.full())) {
        // What passes lies elsewhere.
        emit(begin + i, search_all_allowed(codec, refined[i].query, x.row(i), chosen, k));
      } else {
        emit(begin + i, refined[i].nearest.take_sorted());
      }
    }
    progress.add(n);
  };
  std::visit(
      [&](const auto& codec) {
        parallel_for(control, queries.rows(), piece,
                     [&](std::size_t begin, std::size_t end, std::size_t) {
                       const std::shared_lock lock(mutex);
                       search(codec, begin, end);
                     });
      },
      best().codec());
}

// The fewer pass a filter, the farther away the nearest of them lie: k among k / share of all.
std::size_t IvfIndex::enough_probes(std::size_t probes, const Allowed& allowed) const {
  if (!allowed.filters() || allowed.share() == 0) return probes;
  const double wanted =
      static_cast<double>(probes) * std::pow(for_ten_times_, -std::log10(allowed.share()));
  return static_cast<std::size_t>(std::ceil(std::min(wanted, static_cast<double>(lists_.lists()))));
}

template <class C>
std::vector<Hit> IvfIndex::search_all_allowed(const C& codec, const typename C::Query& query,
                                              const float* transformed, const Allowed& allowed,
                                              std::size_t k) const {
  if (best().on_disk()) return nearest_on_disk(best(), transformed, allowed, size(), k);
  const ById<C> by_id(best(), codec);
  return scan_nearest(by_id, query, best_scorer(by_id, query), allowed, size(), k);
}

// Whether reading the codes of all that is allowed, one here and one there, costs less than
// scanning so many lists for them.
bool IvfIndex::scan_is_cheaper(std::size_t probes, const Allowed& allowed) const {
  // In codes of a list that is scanned; to read from a disk costs far more.
  const double kCostOfOne = best().on_disk() ? 1000 : 4;
  const double scanned = static_cast<double>(std::min(probes, lists_.lists())) /
                         static_cast<double>(lists_.lists()) * static_cast<double>(lists_.size());
  return allowed.filters() && kCostOfOne * static_cast<double>(allowed.count()) <= scanned;
}

void IvfIndex::search_allowed(const AnyMatrixView& queries, const SearchOptions& options,
                              Neighbours& result) const {
  Progress progress(options.control, "search", queries.rows());
  const auto search = [&](const auto& codec, std::size_t q) {
    thread_local typename std::decay_t<decltype(codec)>::Query query;
    std::vector<float> x(queries.dim());
    const std::shared_lock lock(mutex);
    load_row(queries, q, metric, x.data());
    best().transform_query(x.data());
    codec.prepare(x.data(), query);
    put_hits(search_all_allowed(codec, query, x.data(), allowed(options.filter), result.k()), q,
             result);
  };
  std::visit(
      [&](const auto& codec) {
        parallel_for(options.control, queries.rows(), 1,
                     [&](std::size_t begin, std::size_t end, std::size_t) {
                       for (std::size_t q = begin; q < end; ++q) search(codec, q);
                       progress.add(end - begin);
                     });
      },
      best().codec());
}

Neighbours IvfIndex::search(const AnyMatrixView& queries, std::size_t k,
                            const SearchOptions& options) const {
  std::shared_lock lock(mutex);
  const std::size_t probes = options.beam != 0 ? options.beam : default_beam;
  const Allowed chosen = allowed(options.filter);
  const bool scans = scan_is_cheaper(enough_probes(probes, chosen), chosen);
  lock.unlock();
  if (scans) {
    Neighbours result(queries.rows(), k);
    search_allowed(queries, options, result);
    return result;
  }
  const std::size_t depth = options.rerank != 0 ? std::max(options.rerank, k) : 0;
  Neighbours result(queries.rows(), k);
  search_all(queries, options, depth, k, kInfinity,
             [&](std::size_t q, const std::vector<Hit>& hits) { put_hits(hits, q, result); });
  return result;
}

RangeNeighbours IvfIndex::range(const AnyMatrixView& queries, float radius,
                                const SearchOptions& options) const {
  std::vector<std::vector<Hit>> all(queries.rows());
  search_all(queries, options, options.rerank, kMaxVectors, radius,
             [&](std::size_t q, std::vector<Hit> hits) { all[q] = std::move(hits); });
  return range_neighbours(all);
}

void IvfIndex::measure_margin(const AnyMatrixView& rows, std::span<const Id> held,
                              const BuildOptions& options) {
  if (refiner().settled) {
    margin_ = 0;
    return;
  }
  const Matrix<float> queries = copy_rows(rows, held);
  std::vector<std::vector<float>> errors(held.size()), level_errors(held.size());
  parallel_for(options.control, held.size(), 1,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 InvertedLists::Scratch scratch;
                 Matrix<float> x(1, dim);
                 for (std::size_t q = begin; q < end; ++q) {
                   load_row(queries, q, metric, x.row(0));
                   std::visit(
                       [&](const auto& codec) {
                         measure_errors(codec, x, scratch, errors[q], level_errors[q]);
                       },
                       best().codec());
                 }
               });
  margin_ = margin_for(errors, options.recall);
  level_margin_ = margin_for(level_errors, 1 - kLevelShare * (1 - options.recall));
}

template <class C>
void IvfIndex::measure_errors(const C& codec, Matrix<float>& x, InvertedLists::Scratch& scratch,
                              std::vector<float>& errors, std::vector<float>& level_errors) const {
  constexpr std::size_t kK = 10, kDepth = 500, kProbes = 64;
  std::vector<Refined<C>> refined(1);
  lists_.start(x, kProbes, scratch);
  ListScan& scan = list_scan(x, codec, refined, scratch);
  best().transform_query(x.row(0));
  codec.prepare(x.row(0), refined[0].query);
  refined[0].nearest = TopK(kK);
  Reservoir& candidates = scratch.reservoirs[0];
  candidates.start(kDepth, kInfinity);
  lists_.scan(0, scratch.probes, scan, scratch);
  candidates.settle();

  const Refiner refiner = this->refiner();
  const auto compare = [&](const auto& place) {
    const std::span<const std::uint32_t> places = candidates.places();
    for (const Hit& hit : refined[0].nearest.hits()) {
      const auto found = std::find_if(places.begin(), places.end(),
                                      [&](std::uint32_t at) { return lists_.ids()[at] == hit.id; });
      const auto at = static_cast<std::size_t>(found - places.begin());
      errors.push_back(candidates.estimates()[at] - hit.distance);
      float by_first_level;
      const Id record = place.record(places[at]);
      place.codec.score(refined[0].query, &record, 1, &by_first_level);
      level_errors.push_back(by_first_level - hit.distance);
    }
  };
  if (!best().on_disk()) {
    const InMemory<C> place{codec, lists_.ids(), refiner.in_lists};
    refiner.rescore(place, Candidates(candidates), -kInfinity, kInfinity, refined[0]);
    return compare(place);
  }
  const float lowest = -kInfinity, highest = kInfinity;
  FetchedRecords records(best());
  refiner.rescore_on_disk<C>(records, std::span(&candidates, 1), std::span(&lowest, 1),
                             std::span(&highest, 1), refined);
  std::vector<Id> found;
  for (const Hit& hit : refined[0].nearest.hits()) found.push_back(hit.id);
  records.fetch(found);
  compare(Fetched<C>{std::get<C>(records.codec()), records, lists_.ids()});
}

}  // namespace kith
