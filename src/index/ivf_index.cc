// The inverted-file index: product codes in lists, scanned in blocks (inverted_lists.h), candidates
// re-scored by the "+" codec. Lists are scanned in waves, nearest first. The k nearest re-scored so
// far say how near a candidate must be estimated to matter still, so later waves find few.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <shared_mutex>

#include "base/copy_rows.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "codec/fetched_records.h"
#include "index/implementation.h"
#include "index/inverted_lists.h"
#include "index/lists_content.h"
#include "index/margin.h"
#include "index/scan_codes.h"
#include "index/verify.h"
#include "kith/trained_lists.h"
#include "simd/kernels.h"
#include "simd/kth_smallest.h"

namespace kith {
namespace {

// One query's answer in the making.
template <class C>
struct Refined {
  typename C::Query query;
  float radius = std::numeric_limits<float>::infinity();  // nothing farther is wanted
  TopK nearest{0};
};

// Some of a reservoir.
struct Candidates {
  std::span<const float> estimates;
  std::span<const std::uint32_t> places;

  explicit Candidates(const Reservoir& all) : estimates(all.estimates()), places(all.places()) {}
  Candidates(const Reservoir& all, std::size_t begin, std::size_t end)
      : estimates(all.estimates().subspan(begin, end - begin)),
        places(all.places().subspan(begin, end - begin)) {}
};

// Where a vector's code is: in memory under its id,
template <class C>
struct InMemory {
  const C& codec;
  Id record(Id id) const { return id; }
  Id id(Id record) const { return record; }
};
// or among what was fetched.
template <class C>
struct Fetched {
  const C& codec;
  const FetchedRecords& records;
  Id record(Id id) const { return records.record(id); }
  Id id(Id record) const { return records.id(record); }
};

class IvfIndex : public Index::Implementation {
 public:
  IvfIndex(const AnyMatrixView& rows, const BuildOptions& options, bool choose_codec);
  IvfIndex(const KithFileReader& reader, const Meta& meta);

  std::string kind() const override { return "ivf"; }
  Neighbours search(const AnyMatrixView& queries, std::size_t k,
                    const SearchOptions& options) const override;
  RangeNeighbours range(const AnyMatrixView& queries, float radius,
                        const SearchOptions& options) const override;
  IndexInfo info() const override;
  void save_parts(KithFileWriter& writer, Meta& meta) const override;

 private:
  void link(std::span<const Id> ids, const Incoming& rows, const Control& control) override;
  void unlink(bool now, const Control& control) override;
  void train_lists(const AnyMatrixView& rows, const BuildOptions& options);
  void measure_margin(const AnyMatrixView& rows, std::span<const Id> held,
                      const BuildOptions& options);
  // Codec `name` takes the place of primary_ where that doesn't reach the recall, or only by
  // probing far more lists.
  DefaultBeam try_finer_codes(const std::string& name, const AnyMatrixView& rows,
                              std::span<const Id> held, const BeamTrial& trial,
                              const BuildOptions& options, const DefaultBeam& coarser);
  template <class C, class Place>
  void rescore(const Place& place, const Candidates& candidates, float above, float limit,
               Refined<C>& refined) const;
  template <class C>
  void refine(const C& codec, Reservoir& candidates, Refined<C>& refined) const;
  template <class C>
  void rescore_on_disk(FetchedRecords& records, std::span<const Reservoir> candidates,
                       std::span<const float> above, std::span<const float> limits,
                       std::span<Refined<C>> refined) const;
  template <class C>
  void refine_on_disk(FetchedRecords& records, std::span<Reservoir> candidates,
                      std::span<Refined<C>> refined) const;
  template <class C>
  std::vector<Hit> search_all_allowed(const C& codec, const typename C::Query& query,
                                      const float* transformed, const Allowed& allowed,
                                      std::size_t k) const;
  std::size_t enough_probes(std::size_t probes, const Allowed& allowed) const;
  bool scan_is_cheaper(std::size_t probes, const Allowed& allowed) const;
  // The nearest of all that is allowed, without lists.
  void search_allowed(const AnyMatrixView& queries, const SearchOptions& options,
                      Neighbours& result) const;
  // Calls emit(query, hits) for every query, in parallel. `depth`: candidates to re-score, 0 for
  // as many as can matter.
  template <class Emit>
  void search_all(const AnyMatrixView& queries, const SearchOptions& options, std::size_t depth,
                  std::size_t k, float radius, const Emit& emit) const;

  InvertedLists lists_;
  // Of those truly among the nearest, nearly all (margin.h) are estimated at most this much
  // farther than they are. Measured on vectors held out of the build; until then, and where there
  // are none, every candidate matters.
  float margin_ = kNoMargin;
  // The same of the distances by the first level of a code that has two.
  float level_margin_ = kNoMargin;
  // How many times as many lists hold ten times as many neighbours.
  double for_ten_times_ = kUsualForTenTimes;
};

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// From here on the codes that re-rank may be what limits the recall.
constexpr double kHighRecall = 0.98;
// Of the neighbours that may be lost; a first level errs little, so its margin is narrow anyway.
constexpr double kLevelShare = 0.25;

IvfIndex::IvfIndex(const AnyMatrixView& rows, const BuildOptions& options, bool choose_codec)
    : Implementation(options.metric, rows.dim(), rows.type(),
                     CodecSpec::parse(options.codec).refining(), options.seed) {
  const Control& control = options.control;
  train(rows, options);
  train_lists(rows, options);  // its sample makes room for the codes
  store_all(rows, control);

  const std::vector<Id> order = random_permutation(rows.rows(), options.seed);
  const std::size_t held = std::min<std::size_t>(kBeamQueries, (rows.rows() - 1) / 20);
  const std::span<const Id> late = std::span(order).last(held);
  std::vector<Id> early(order.begin(), order.end() - static_cast<std::ptrdiff_t>(held));
  std::sort(early.begin(), early.end());
  const auto add = [&](std::span<const Id> ids) {
    const auto load = [&](std::size_t i, float* out) { rows.copy_row(ids[i], out); };
    lists_ = lists_.with(load, ids, control);
  };
  add(early);
  measure_margin(rows, late, options);
  const BeamTrial trial = beam_trial(rows, late, options);
  DefaultBeam chosen = measure_beam(trial, options);
  if (choose_codec) {
    chosen = options.recall >= kHighRecall || chosen.recall < options.recall
                 ? try_finer_codes("lvq8x8", rows, late, trial, options, chosen)
                 : try_smaller_codes("lvq8", rows, trial, options, chosen);
  }
  default_beam = chosen.beam;
  tuned_recall = chosen.recall;
  for_ten_times_ = beams_for_ten_times(trial, chosen, trial_search(control));
  add(late);
}

DefaultBeam IvfIndex::try_finer_codes(const std::string& name, const AnyMatrixView& rows,
                                      std::span<const Id> held, const BeamTrial& trial,
                                      const BuildOptions& options, const DefaultBeam& coarser) {
  constexpr std::size_t kTimesTheProbes = 2;
  const std::string before = primary_.codec_name();
  recode(name, rows, options);
  const float margin = margin_, level_margin = level_margin_;
  measure_margin(rows, held, options);
  const DefaultBeam chosen = measure_beam(trial, options);
  const bool reached = coarser.recall >= options.recall;
  if (reached ? chosen.recall >= options.recall && chosen.beam * kTimesTheProbes <= coarser.beam
              : chosen.recall > coarser.recall) {
    return chosen;
  }
  recode(before, rows, options);
  margin_ = margin;
  level_margin_ = level_margin;
  return coarser;
}

void IvfIndex::train_lists(const AnyMatrixView& rows, const BuildOptions& options) {
  if (options.trained != nullptr) {
    const ListsContent& content = options.trained->content();
    lists_ = InvertedLists(metric, Centres(content.centres.clone()), content.quantiser);
  } else {
    const CodecSpec spec = CodecSpec::parse(options.codec);
    ListsContent content = learn_lists(
        rows,
        {.metric = metric,
         .lists = options.lists,
         .parts = spec.parts(),
         .turn = spec.optimised() ? ProductQuantiser::Turn::learned : ProductQuantiser::Turn::none,
         .balance = options.balance,
         .seed = options.seed,
         .control = options.control});
    lists_ =
        InvertedLists(metric, Centres(std::move(content.centres)), std::move(content.quantiser));
  }
  lists_.connect_centres(options.seed, options.control);
}

void IvfIndex::measure_margin(const AnyMatrixView& rows, std::span<const Id> held,
                              const BuildOptions& options) {
  constexpr std::size_t kK = 10, kDepth = 500, kProbes = 64;
  const Matrix<float> queries = copy_rows(rows, held);
  std::vector<std::vector<float>> errors(held.size()), level_errors(held.size());
  parallel_for(
      options.control, held.size(), 1, [&](std::size_t begin, std::size_t end, std::size_t) {
        InvertedLists::Scratch scratch;
        Matrix<float> x(1, dim);
        for (std::size_t q = begin; q < end; ++q) {
          load_row(queries, q, metric, x.row(0));
          lists_.start(x, kProbes, scratch);
          Reservoir& reservoir = scratch.reservoirs[0];
          reservoir.start(kDepth, kInfinity);
          lists_.scan(0, scratch.probes, scratch);
          primary_.transform(x.row(0));
          std::visit(
              [&]<class C>(const C& codec) {
                Refined<C> refined;
                refined.nearest = TopK(kK);
                codec.prepare(x.row(0), refined.query);
                reservoir.settle();
                std::optional<FetchedRecords> records;
                if (primary_.on_disk()) {
                  const float lowest = -kInfinity, highest = kInfinity;
                  records.emplace(primary_);
                  rescore_on_disk<C>(*records, std::span(&reservoir, 1), std::span(&lowest, 1),
                                     std::span(&highest, 1), std::span(&refined, 1));
                  std::vector<Id> found;
                  for (const Hit& hit : refined.nearest.hits()) found.push_back(hit.id);
                  records->fetch(found);
                } else {
                  rescore(InMemory<C>{codec}, Candidates(reservoir), -kInfinity, kInfinity,
                          refined);
                }
                for (const Hit& hit : refined.nearest.hits()) {
                  const auto place =
                      std::find_if(reservoir.places().begin(), reservoir.places().end(),
                                   [&](std::uint32_t p) { return lists_.ids()[p] == hit.id; });
                  const auto at = static_cast<std::size_t>(place - reservoir.places().begin());
                  errors[q].push_back(reservoir.estimates()[at] - hit.distance);
                  float by_first_level;
                  const Id record = records ? records->record(hit.id) : hit.id;
                  const C& stored = records ? std::get<C>(records->codec()) : codec;
                  stored.score(refined.query, &record, 1, &by_first_level);
                  level_errors[q].push_back(by_first_level - hit.distance);
                }
              },
              primary_.codec());
        }
      });
  margin_ = margin_for(errors, options.recall);
  level_margin_ = margin_for(level_errors, 1 - kLevelShare * (1 - options.recall));
}

// Re-scores the candidates estimated above `above` and at most `limit` far, as far as they can
// still matter; of codes with two levels the first one decides once more. They come in pieces:
// while one is scored, the next is on its way from memory.
template <class C, class Place>
void IvfIndex::rescore(const Place& place, const Candidates& candidates, float above, float limit,
                       Refined<C>& refined) const {
  constexpr std::size_t kPiece = 16;
  thread_local std::vector<std::uint32_t> near;
  Id pieces[2][kPiece], likely[2 * kPiece];
  float distances[2 * kPiece];
  const C& codec = place.codec;
  const std::span<const float> estimates = candidates.estimates;
  const std::span<const std::uint32_t> places = candidates.places;
  const Id* const ids = lists_.ids();
  const auto wanted = [&] { return std::min(refined.radius, refined.nearest.threshold()); };
  near.resize(estimates.size());
  const std::size_t found = simd::select_at_most(estimates.data(), estimates.size(),
                                                 std::min(limit, wanted() + margin_), near.data());
  std::size_t next = 0, waiting = 0;
  const auto gather = [&](Id* piece) {
    const float still = std::min(limit, wanted() + margin_);
    std::size_t count = 0;
    for (; next < found && count < kPiece; ++next) {
      const float estimate = estimates[near[next]];
      piece[count] = place.record(ids[places[near[next]]]);
      count += (estimate > above ? 1 : 0) & (estimate <= still ? 1 : 0);
    }
    for (std::size_t i = 0; i < count; ++i) {
      kHasTwoLevels<C> ? codec.prefetch(piece[i]) : codec.prefetch_best(piece[i]);
    }
    return count;
  };
  const auto finish = [&](const Id* piece, std::size_t count) {
    codec.score_best(refined.query, piece, count, distances);
    for (std::size_t i = 0; i < count; ++i) {
      if (distances[i] <= wanted()) refined.nearest.push(distances[i], place.id(piece[i]));
    }
  };
  const auto narrow = [&](const Id* piece, std::size_t count) {
    codec.score(refined.query, piece, count, distances);
    for (std::size_t i = 0; i < count; ++i) {
      if (distances[i] > wanted() + level_margin_) continue;
      codec.prefetch_best(piece[i]);
      likely[waiting++] = piece[i];
    }
    if (waiting < kPiece) return;
    finish(likely, waiting);
    waiting = 0;
  };
  Id *now = pieces[0], *later = pieces[1];
  for (std::size_t count = gather(now); count != 0;) {
    const std::size_t coming = gather(later);
    kHasTwoLevels<C> ? narrow(now, count) : finish(now, count);
    std::swap(now, later);
    count = coming;
  }
  finish(likely, waiting);
}

// An estimate that about the kLikeliest nearest candidates have at most; -infinity where there is
// no need of it.
template <class C>
float likeliest(const Reservoir& candidates, const Refined<C>& refined) {
  constexpr std::size_t kLikeliest = 32;
  thread_local std::vector<float> copy;
  const std::span<const float> estimates = candidates.estimates();
  if (refined.nearest.full() || estimates.size() <= kLikeliest) return -kInfinity;
  copy.assign(estimates.begin(), estimates.end());
  return simd::bound_kth_smallest(copy, kLikeliest);
}

// Re-scores what a wave found and lowers the limit for the next one.
template <class C>
void IvfIndex::refine(const C& codec, Reservoir& candidates, Refined<C>& refined) const {
  candidates.settle();
  const Candidates all(candidates);
  const InMemory<C> place{codec};
  const float above = likeliest(candidates, refined);
  // The likeliest first: they say how many of the others matter.
  if (above != -kInfinity) rescore(place, all, -kInfinity, above, refined);
  rescore(place, all, above, kInfinity, refined);
  candidates.clear();
  candidates.lower(refined.nearest.threshold() + margin_);
}

// The same of each query's candidates, whose vectors are on disk: as many as can matter are read at
// once, in parts where that is more than should be in memory.
template <class C>
void IvfIndex::rescore_on_disk(FetchedRecords& records, std::span<const Reservoir> candidates,
                               std::span<const float> above, std::span<const float> limits,
                               std::span<Refined<C>> refined) const {
  struct Part {
    std::size_t query, begin, end;
  };
  std::vector<Part> parts;
  std::vector<Id> ids;
  const auto score = [&] {
    records.fetch(ids);
    const Fetched<C> place{std::get<C>(records.codec()), records};
    for (const Part& part : parts) {
      rescore(place, Candidates(candidates[part.query], part.begin, part.end), above[part.query],
              limits[part.query], refined[part.query]);
    }
    parts.clear();
    ids.clear();
  };
  for (std::size_t q = 0; q < candidates.size(); ++q) {
    const Candidates all(candidates[q]);
    Part part{q, 0, 0};
    for (; part.end < all.estimates.size(); ++part.end) {
      const float estimate = all.estimates[part.end];
      const float wanted = std::min(refined[q].radius, refined[q].nearest.threshold());
      if (!(estimate > above[q] && estimate <= std::min(limits[q], wanted + margin_))) continue;
      if (ids.size() == records.most()) {
        parts.push_back(part);
        score();
        part.begin = part.end;
      }
      ids.push_back(lists_.ids()[all.places[part.end]]);
    }
    parts.push_back(part);
  }
  score();
}

template <class C>
void IvfIndex::refine_on_disk(FetchedRecords& records, std::span<Reservoir> candidates,
                              std::span<Refined<C>> refined) const {
  const std::vector<float> lowest(candidates.size(), -kInfinity);
  const std::vector<float> highest(candidates.size(), kInfinity);
  std::vector<float> above(candidates.size());
  for (std::size_t q = 0; q < candidates.size(); ++q) {
    candidates[q].settle();
    above[q] = likeliest(candidates[q], refined[q]);
  }
  rescore_on_disk<C>(records, candidates, lowest, above, refined);
  rescore_on_disk<C>(records, candidates, above, highest, refined);
  for (std::size_t q = 0; q < candidates.size(); ++q) {
    candidates[q].clear();
    candidates[q].lower(refined[q].nearest.threshold() + margin_);
  }
}

// Lists are scanned in waves, each with three times as many lists as all before: up to 1, 4, 16 ...
std::size_t wave_end(std::size_t first, std::size_t all) {
  constexpr std::size_t kFirst = 1, kGrowth = 4;
  return std::min(std::max(kFirst, kGrowth * first), all);
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
  lock.unlock();
  const std::size_t share = queries.rows() / thread_count(control);
  const std::size_t piece =
      std::clamp<std::size_t>(share, 1, primary_.on_disk() ? kVerifiedTogether : kMostAtOnce);
  Progress progress(control, "search", queries.rows());
  const auto search = [&]<class C>(const C& codec, std::size_t begin, std::size_t end) {
    thread_local InvertedLists::Scratch scratch;
    thread_local std::vector<Refined<C>> refined;
    const std::size_t n = end - begin;
    std::optional<FetchedRecords> records;
    if (primary_.on_disk()) records.emplace(primary_);
    Matrix<float> x(n, dim);
    for (std::size_t i = 0; i < n; ++i) load_row(queries, begin + i, metric, x.row(i));
    scratch.allowed = removed_.empty() && !chosen.filters() ? nullptr : &chosen;
    lists_.start(x, enough, scratch);
    if (refined.size() < n) refined.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      scratch.reservoirs[i].start(depth != 0 ? depth : Reservoir::kUnbounded, radius + margin_);
      primary_.transform(x.row(i));
      codec.prepare(x.row(i), refined[i].query);
      if constexpr (requires { codec.prepare_for_many(refined[i].query); }) {
        codec.prepare_for_many(refined[i].query);
      }
      refined[i].radius = radius;
      refined[i].nearest = TopK(k);
    }
    for (std::size_t first = 0; first < scratch.probes;) {
      const std::size_t last = depth != 0 ? scratch.probes : wave_end(first, scratch.probes);
      lists_.scan(first, last, scratch);
      if (records) {
        throw_if_cancelled(control);
        refine_on_disk<C>(*records, std::span(scratch.reservoirs).first(n),
                          std::span(refined).first(n));
      } else {
        for (std::size_t i = 0; i < n; ++i) refine(codec, scratch.reservoirs[i], refined[i]);
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
      primary_.codec());
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
  if (primary_.on_disk()) return nearest_on_disk(primary_, transformed, allowed, size(), k);
  return scan_nearest(codec, query, best_scorer(codec, query), allowed, size(), k);
}

// Whether reading the codes of all that is allowed, one here and one there, costs less than
// scanning so many lists for them.
bool IvfIndex::scan_is_cheaper(std::size_t probes, const Allowed& allowed) const {
  // In codes of a list that is scanned; to read from a disk costs far more.
  const double kCostOfOne = primary_.on_disk() ? 1000 : 4;
  const double scanned = static_cast<double>(std::min(probes, lists_.lists())) /
                         static_cast<double>(lists_.lists()) * static_cast<double>(lists_.size());
  return allowed.filters() && kCostOfOne * static_cast<double>(allowed.count()) <= scanned;
}

void IvfIndex::search_allowed(const AnyMatrixView& queries, const SearchOptions& options,
                              Neighbours& result) const {
  Progress progress(options.control, "search", queries.rows());
  const auto search = [&](const auto& codec, std::size_t q) {
    thread_local typename std::decay_t<decltype(codec)>::Query query;
    std::vector<float> x(dim);
    const std::shared_lock lock(mutex);
    load_row(queries, q, metric, x.data());
    primary_.transform(x.data());
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
      primary_.codec());
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

void IvfIndex::link(std::span<const Id> ids, const Incoming& rows, const Control& control) {
  InvertedLists grown = lists_.with(rows.load, ids, control);
  const std::unique_lock lock(mutex);
  lists_ = std::move(grown);
}

void IvfIndex::unlink(bool now, const Control& control) {
  constexpr std::size_t kTenth = 10;  // of all codes: until then scans pass over them
  if (linked_.empty() || (!now && linked_.size() * kTenth < lists_.size())) return;
  throw_if_cancelled(control);
  InvertedLists shorter = lists_.without(linked_);
  const std::unique_lock lock(mutex);
  lists_ = std::move(shorter);
  linked_ = IdSet();
}

IndexInfo IvfIndex::info() const {
  IndexInfo info = Implementation::info();
  const bool turned = lists_.quantiser().turn() == ProductQuantiser::Turn::learned;
  info.codec =
      (turned ? "opq" : "pq") + std::to_string(lists_.quantiser().parts()) + "+" + info.codec;
  info.lists = lists_.lists();
  info.longest_list = lists_.longest();
  for (auto& part : lists_.bytes()) info.bytes.push_back(part);
  return info;
}

IvfIndex::IvfIndex(const KithFileReader& reader, const Meta& meta)
    : Implementation(reader, meta),
      lists_(InvertedLists::load(reader, meta, metric, dim, size())),
      margin_(static_cast<float>(meta.real("ivf.margin"))),
      level_margin_(meta.has("ivf.level_margin") ? static_cast<float>(meta.real("ivf.level_margin"))
                                                 : kNoMargin) {
  if (meta.has("ivf.for_ten_times")) for_ten_times_ = meta.real("ivf.for_ten_times");
  if (!(for_ten_times_ >= 1)) {
    reader.fail("section meta: ivf.for_ten_times=" + std::to_string(for_ten_times_));
  }
}

void IvfIndex::save_parts(KithFileWriter& writer, Meta& meta) const {
  meta.set("ivf.margin", double{margin_});
  meta.set("ivf.level_margin", double{level_margin_});
  meta.set("ivf.for_ten_times", for_ten_times_);
  lists_.save(writer, meta);
}

}  // namespace

std::unique_ptr<Index::Implementation> build_ivf(const AnyMatrixView& rows,
                                                 const BuildOptions& options, bool choose_codec) {
  return std::make_unique<IvfIndex>(rows, options, choose_codec);
}

std::unique_ptr<Index::Implementation> load_ivf(const KithFileReader& reader, const Meta& meta) {
  return std::make_unique<IvfIndex>(reader, meta);
}

}  // namespace kith
