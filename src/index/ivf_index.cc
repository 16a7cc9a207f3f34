// The inverted-file index: product codes in lists, scanned in blocks (inverted_lists.h), the
// nearest by estimate re-scored by the "+" codec, in order of estimate and only as far as one could
// still be among the k nearest.
#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>

#include "base/copy_rows.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "codec/kmeans.h"
#include "index/implementation.h"
#include "index/inverted_lists.h"

namespace kith {
namespace {

// What one thread needs to search, besides what lists need.
struct RefineScratch {
  std::vector<Id> ids;
  std::vector<float> distances;
};

class IvfIndex : public Index::Implementation {
 public:
  IvfIndex(const AnyMatrixView& rows, const BuildOptions& options);
  IvfIndex(const KithFileReader& reader, const Meta& meta);

  std::string kind() const override { return "ivf"; }
  Neighbours search(const AnyMatrixView& queries, std::size_t k,
                    const SearchOptions& options) const override;
  RangeNeighbours range(const AnyMatrixView& queries, float radius,
                        const SearchOptions& options) const override;
  void add(const AnyMatrixView& rows, const Control& control) override;
  IndexInfo info() const override;
  void save_parts(KithFileWriter& writer, Meta& meta) const override;

 private:
  void train_lists(const AnyMatrixView& rows, const BuildOptions& options);
  void measure_margin(const AnyMatrixView& rows, std::span<const Id> held, const Control& control);
  Matrix<float> prepared(const AnyMatrixView& rows, std::span<const std::uint32_t> chosen) const;
  // Calls emit(query, candidates ascending by estimate) for every query, in parallel.
  template <class Emit>
  void scan_all(const AnyMatrixView& queries, std::size_t probes, std::size_t keep,
                const Control& control, const Emit& emit) const;
  template <class C>
  std::vector<Hit> refine(const C& codec, const typename C::Query& query,
                          std::span<const Hit> candidates, std::size_t k,
                          RefineScratch& scratch) const;
  template <class Emit>
  void refine_all(const AnyMatrixView& queries, std::size_t probes, std::size_t keep, std::size_t k,
                  const Control& control, const Emit& emit) const;

  InvertedLists lists_;
  // Of those truly among the nearest, nearly all (kWithinMargin) are estimated at most this much
  // farther than they are. Measured on vectors held out of the build; until then, and where there
  // are none, every candidate is re-scored.
  float margin_ = std::numeric_limits<float>::max();
};

constexpr double kWithinMargin = 0.998;
constexpr std::size_t kTrainRowsPerList = 100;
constexpr std::size_t kTrainRowsOfCodes = 8192;

IvfIndex::IvfIndex(const AnyMatrixView& rows, const BuildOptions& options)
    : Implementation(options.metric, rows.dim(), rows.type(),
                     CodecSpec::parse(options.codec).refining(), options.seed) {
  const Control& control = options.control;
  primary_.train(rows, options.seed, control);
  append(rows, control);
  train_lists(rows, options);

  const std::vector<Id> order = random_permutation(rows.rows(), options.seed);
  const std::size_t held = std::min<std::size_t>(kBeamQueries, (rows.rows() - 1) / 20);
  const std::span<const Id> late = std::span(order).last(held);
  std::vector<Id> early(order.begin(), order.end() - static_cast<std::ptrdiff_t>(held));
  std::sort(early.begin(), early.end());
  lists_.add(rows, 0, early, control);
  measure_margin(rows, late, control);
  const DefaultBeam chosen = measure_beam(rows, late, options);
  default_beam = chosen.beam;
  tuned_recall = chosen.recall;
  lists_.add(rows, 0, late, control);
}

Matrix<float> IvfIndex::prepared(const AnyMatrixView& rows,
                                 std::span<const std::uint32_t> chosen) const {
  Matrix<float> copy(chosen.size(), dim);
  for (std::size_t i = 0; i < chosen.size(); ++i) load_row(rows, chosen[i], metric, copy.row(i));
  return copy;
}

void IvfIndex::train_lists(const AnyMatrixView& rows, const BuildOptions& options) {
  KMeansOptions means;
  means.clusters = options.lists;
  means.rows_per_cluster = kTrainRowsPerList;
  means.seed = options.seed;
  means.control = options.control;
  const std::size_t wanted = options.lists * kTrainRowsPerList;
  Centres centres(kmeans(prepared(rows, random_sample(rows.rows(), wanted, options.seed)), means));

  Matrix<float> residuals =
      prepared(rows, random_sample(rows.rows(), kTrainRowsOfCodes, options.seed + 1));
  std::vector<std::uint32_t> assigned(residuals.rows());
  centres.nearest(residuals, options.control, assigned);
  for (std::size_t i = 0; i < residuals.rows(); ++i) {
    const float* centre = centres.matrix().row(assigned[i]);
    for (std::size_t j = 0; j < dim; ++j) residuals.row(i)[j] -= centre[j];
  }
  ProductQuantiser quantiser(dim, CodecSpec::parse(options.codec).parts());
  quantiser.train(residuals, options.seed, options.control);
  lists_ = InvertedLists(metric, std::move(centres), std::move(quantiser));
}

void IvfIndex::measure_margin(const AnyMatrixView& rows, std::span<const Id> held,
                              const Control& control) {
  constexpr std::size_t kK = 10, kKeep = 500, kProbes = 64;
  const Matrix<float> queries = copy_rows(rows, held);
  std::vector<std::vector<float>> errors(held.size());
  scan_all(queries, kProbes, kKeep, control,
           [&](std::size_t q, const float* query, std::span<const Hit> candidates) {
             std::visit(
                 [&](const auto& codec) {
                   typename std::decay_t<decltype(codec)>::Query prepared;
                   codec.prepare(query, prepared);
                   RefineScratch scratch;
                   const std::vector<Hit> nearest =
                       refine(codec, prepared, candidates, kK, scratch);
                   for (const Hit& hit : nearest) {
                     const auto estimated =
                         std::find_if(candidates.begin(), candidates.end(),
                                      [&](const Hit& other) { return other.id == hit.id; });
                     errors[q].push_back(estimated->distance - hit.distance);
                   }
                 },
                 primary_.codec());
           });
  std::vector<float> all;
  for (const std::vector<float>& some : errors) all.insert(all.end(), some.begin(), some.end());
  if (all.empty()) return;
  const auto place = std::min(
      all.size() - 1, static_cast<std::size_t>(kWithinMargin * static_cast<double>(all.size())));
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(place), all.end());
  margin_ = std::max(0.0f, all[place]);
}

template <class Emit>
void IvfIndex::scan_all(const AnyMatrixView& queries, std::size_t probes, std::size_t keep,
                        const Control& control, const Emit& emit) const {
  constexpr std::size_t kMostAtOnce = 256;  // their tables stay in cache
  const std::size_t share = queries.rows() / thread_count(control);
  const std::size_t piece = std::clamp<std::size_t>(share, 1, kMostAtOnce);
  Progress progress(control, "search", queries.rows());
  parallel_for(control, queries.rows(), piece,
               [&](std::size_t begin, std::size_t end, std::size_t) {
                 thread_local InvertedLists::Scratch scratch;
                 Matrix<float> x(end - begin, dim);
                 for (std::size_t q = begin; q < end; ++q) {
                   load_row(queries, q, metric, x.row(q - begin));
                 }
                 lists_.scan(x, probes, keep, scratch);
                 for (std::size_t q = begin; q < end; ++q) {
                   primary_.transform(x.row(q - begin));
                   emit(q, x.row(q - begin), scratch.reservoirs[q - begin].sorted());
                 }
                 progress.add(end - begin);
               });
}

// Candidates come in pieces: distances are known a piece at a time, and the next one is on its way
// from memory meanwhile.
template <class C>
std::vector<Hit> IvfIndex::refine(const C& codec, const typename C::Query& query,
                                  std::span<const Hit> candidates, std::size_t k,
                                  RefineScratch& scratch) const {
  constexpr std::size_t kPiece = 16;
  TopK nearest(k);
  scratch.ids.resize(kPiece);
  scratch.distances.resize(kPiece);
  const auto fetch = [&](std::size_t first) {
    for (std::size_t i = first; i < std::min(first + kPiece, candidates.size()); ++i) {
      codec.prefetch_best(candidates[i].id);
    }
  };
  fetch(0);
  for (std::size_t first = 0; first < candidates.size(); first += kPiece) {
    if (candidates[first].distance > nearest.threshold() + margin_) break;
    fetch(first + kPiece);
    const std::size_t count = std::min(kPiece, candidates.size() - first);
    for (std::size_t i = 0; i < count; ++i) scratch.ids[i] = candidates[first + i].id;
    codec.score_best(query, scratch.ids.data(), count, scratch.distances.data());
    for (std::size_t i = 0; i < count; ++i) nearest.push(scratch.distances[i], scratch.ids[i]);
  }
  return nearest.take_sorted();
}

template <class Emit>
void IvfIndex::refine_all(const AnyMatrixView& queries, std::size_t probes, std::size_t keep,
                          std::size_t k, const Control& control, const Emit& emit) const {
  std::visit(
      [&](const auto& codec) {
        scan_all(queries, probes, keep, control,
                 [&](std::size_t q, const float* query, std::span<const Hit> candidates) {
                   thread_local typename std::decay_t<decltype(codec)>::Query prepared;
                   thread_local RefineScratch scratch;
                   codec.prepare(query, prepared);
                   emit(q, refine(codec, prepared, candidates, k, scratch));
                 });
      },
      primary_.codec());
}

Neighbours IvfIndex::search(const AnyMatrixView& queries, std::size_t k,
                            const SearchOptions& options) const {
  constexpr std::size_t kKeepPerHit = 40, kLeastKept = 100;
  const std::size_t keep =
      options.rerank != 0 ? std::max(options.rerank, k) : std::max(kKeepPerHit * k, kLeastKept);
  const std::size_t probes = options.beam != 0 ? options.beam : default_beam;
  Neighbours result(queries.rows(), k);
  refine_all(queries, probes, keep, k, options.control,
             [&](std::size_t q, const std::vector<Hit>& hits) { put_hits(hits, q, result); });
  return result;
}

RangeNeighbours IvfIndex::range(const AnyMatrixView& queries, float radius,
                                const SearchOptions& options) const {
  std::vector<std::vector<Hit>> all(queries.rows());
  const std::size_t probes = options.beam != 0 ? options.beam : default_beam;
  refine_all(queries, probes, size(), size(), options.control,
             [&](std::size_t q, std::vector<Hit> hits) {
               while (!hits.empty() && hits.back().distance > radius) hits.pop_back();
               all[q] = std::move(hits);
             });
  return range_neighbours(all);
}

void IvfIndex::add(const AnyMatrixView& rows, const Control& control) {
  const auto before = static_cast<Id>(size());
  append(rows, control);
  std::vector<Id> fresh(rows.rows());
  std::iota(fresh.begin(), fresh.end(), before);
  lists_.add(rows, before, fresh, control);
}

IndexInfo IvfIndex::info() const {
  IndexInfo info = Implementation::info();
  info.codec = "pq" + std::to_string(lists_.quantiser().parts()) + "+" + info.codec;
  info.lists = lists_.lists();
  for (auto& part : lists_.bytes()) info.bytes.push_back(part);
  return info;
}

IvfIndex::IvfIndex(const KithFileReader& reader, const Meta& meta)
    : Implementation(reader, meta),
      lists_(InvertedLists::load(reader, meta, metric, dim, size())),
      margin_(static_cast<float>(meta.real("ivf.margin"))) {}

void IvfIndex::save_parts(KithFileWriter& writer, Meta& meta) const {
  meta.set("ivf.margin", double{margin_});
  lists_.save(writer, meta);
}

}  // namespace

std::unique_ptr<Index::Implementation> build_ivf(const AnyMatrixView& rows,
                                                 const BuildOptions& options) {
  return std::make_unique<IvfIndex>(rows, options);
}

std::unique_ptr<Index::Implementation> load_ivf(const KithFileReader& reader, const Meta& meta) {
  return std::make_unique<IvfIndex>(reader, meta);
}

}  // namespace kith
