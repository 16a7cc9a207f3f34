// The exact index: every query is compared with every stored vector. Components stored plainly go
// to FlatSearch (exact in the stored values); codes are scanned and, with a "+" codec, re-ranked.
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "base/parallel.h"
#include "base/progress.h"
#include "index/checks.h"
#include "index/flat_search.h"
#include "index/implementation.h"
#include "index/margin.h"
#include "index/scan_codes.h"
#include "index/verify.h"
#include "simd/kernels.h"

namespace kith {
namespace {

class FlatIndex : public Index::Implementation {
 public:
  FlatIndex(const AnyMatrixView& rows, const BuildOptions& options)
      : Implementation(options.metric, rows.dim(), rows.type(), CodecSpec::parse(options.codec),
                       options.seed) {
    train(rows, options);
    store_all(rows, options.control);
  }
  FlatIndex(const KithFileReader& reader, const Meta& meta) : Implementation(reader, meta) {}

  std::string kind() const override { return "flat"; }

  Neighbours search(const AnyMatrixView& queries, std::size_t k,
                    const SearchOptions& options) const override {
    const std::shared_lock lock(mutex);
    const Allowed chosen = allowed(options.filter);
    if (const auto rows = plain_rows()) {
      return FlatSearch(*rows, metric, norms(*rows, options.control), options.control)
          .search(queries, k, options.control, unless_all(chosen));
    }
    Neighbours result(queries.rows(), k);
    if (chosen.filters() && options.rerank == 0) {
      search_allowed(queries, chosen, options.control, result);
      return result;
    }
    const std::size_t keep = std::max(options.rerank != 0 ? options.rerank : 4 * k, k);
    scan(queries, keep, std::numeric_limits<float>::infinity(), chosen, options.control,
         [&](std::size_t query, std::vector<Hit> hits) {
           if (hits.size() > k) hits.resize(k);
           put_hits(hits, query, result);
         });
    return result;
  }

  RangeNeighbours range(const AnyMatrixView& queries, float radius,
                        const SearchOptions& options) const override {
    const std::shared_lock lock(mutex);
    const Allowed chosen = allowed(options.filter);
    if (const auto rows = plain_rows()) {
      return FlatSearch(*rows, metric, norms(*rows, options.control), options.control)
          .range(queries, radius, options.control, unless_all(chosen));
    }
    std::vector<std::vector<Hit>> all(queries.rows());
    scan(queries, size(), radius, chosen, options.control,
         [&](std::size_t query, std::vector<Hit> hits) {
           while (!hits.empty() && hits.back().distance > radius) hits.pop_back();
           all[query] = std::move(hits);
         });
    return range_neighbours(all);
  }

  void save_parts(KithFileWriter&, Meta&) const override {}

 private:
  void link(std::span<const Id>, const Incoming&, const Control&) override {
    const std::unique_lock lock(mutex);
    norms_.clear();
  }
  // A scan meets what is there and nothing else.
  void unlink(bool, const Control&) override {
    const std::unique_lock lock(mutex);
    linked_ = IdSet();
  }

  const Allowed* unless_all(const Allowed& chosen) const {
    return removed_.empty() && !chosen.filters() ? nullptr : &chosen;
  }

  // Rows whose components are stored as they are; byte rows under cosine too.
  std::optional<AnyMatrixView> plain_rows() const {
    if (primary_.rotates() || rerank_) return std::nullopt;
    return std::visit(
        [](const auto& codec) -> std::optional<AnyMatrixView> {
          if constexpr (requires { codec.rows(); }) {
            return AnyMatrixView(codec.rows());
          } else {
            return std::nullopt;
          }
        },
        primary_.codec());
  }

  // The rows' norms, where the metric needs them: computed by the first search (an opened file may
  // never be searched) and again after rows were added.
  std::span<const float> norms(const AnyMatrixView& rows, const Control& control) const {
    if (metric == Metric::l2) return {};
    const std::lock_guard lock(norms_mutex_);
    if (norms_.size() != rows.rows()) norms_ = checked_norms("base", rows, metric, control);
    return norms_;
  }

  // Calls emit(query, hits) with the `keep` nearest by code within `radius`, re-scored by the best
  // codec, ascending; one thread a query.
  template <class Emit>
  void scan(const AnyMatrixView& queries, std::size_t keep, float radius, const Allowed& chosen,
            const Control& control, const Emit& emit) const {
    std::visit(
        [&](const auto& codec) { scan_with(codec, queries, keep, radius, chosen, control, emit); },
        primary_.codec());
  }

  // Among few vectors, or ones chosen to be far, distances differ by less than codes err.
  void search_allowed(const AnyMatrixView& queries, const Allowed& chosen, const Control& control,
                      Neighbours& result) const {
    const auto search = [&](const auto& codec) {
      parallel_for(
          control, queries.rows(), 1, [&](std::size_t begin, std::size_t end, std::size_t) {
            typename std::decay_t<decltype(codec)>::Query query;
            std::vector<float> x(queries.dim());
            for (std::size_t q = begin; q < end; ++q) {
              queries.copy_row(q, x.data());
              primary_.transform_query(x.data());
              codec.prepare(x.data(), query);
              const BestScorer scorer = load_best(queries, q, x);
              put_hits(scan_nearest(codec, query, scorer, chosen, size(), result.k()), q, result);
            }
          });
    };
    std::visit(search, primary_.codec());
  }

  BestScorer load_best(const AnyMatrixView& queries, std::size_t q, std::vector<float>& x) const {
    queries.copy_row(q, x.data());
    best().transform_query(x.data());
    return best_scorer(best(), x.data());
  }

  template <class C, class Emit>
  void scan_with(const C& codec, const AnyMatrixView& queries, std::size_t keep, float radius,
                 const Allowed& chosen, const Control& control, const Emit& emit) const {
    Progress progress(control, "search", queries.rows());
    const bool on_disk = best().on_disk();
    const std::size_t grain = on_disk ? kVerifiedTogether : 1;
    parallel_for(control, queries.rows(), grain,
                 [&](std::size_t begin, std::size_t end, std::size_t) {
                   typename C::Query query;
                   std::vector<float> x(queries.dim());
                   std::vector<Unverified> block;
                   for (std::size_t q = begin; q < end; ++q) {
                     queries.copy_row(q, x.data());
                     primary_.transform_query(x.data());
                     codec.prepare(x.data(), query);
                     TopK nearest(keep);
                     scan_codes(
                         codec, query, chosen, size(),
                         [&] { return std::min(nearest.threshold(), slack(radius)); },
                         [&](float distance, Id id) { nearest.push(distance, id); });
                     std::vector<Hit> hits = nearest.take_sorted();
                     if (on_disk) {
                       queries.copy_row(q, x.data());
                       best().transform_query(x.data());
                       block.push_back({x, std::move(hits)});
                       continue;
                     }
                     rescore(load_best(queries, q, x), hits);
                     emit(q, std::move(hits));
                   }
                   verify(best(), block, kMaxVectors, kNoMargin, control);
                   for (std::size_t i = 0; i < block.size(); ++i)
                     emit(begin + i, std::move(block[i].hits));
                   progress.add(end - begin);
                 });
  }

  // Codes misjudge distances: look a little past the radius before re-scoring decides.
  static float slack(float radius) { return radius + 0.1f * std::abs(radius); }

  static void rescore(const BestScorer& scorer, std::vector<Hit>& hits) {
    std::vector<Id> ids(hits.size());
    std::vector<float> distances(hits.size());
    for (std::size_t i = 0; i < hits.size(); ++i) ids[i] = hits[i].id;
    scorer.score(ids.data(), ids.size(), distances.data());
    for (std::size_t i = 0; i < hits.size(); ++i) hits[i].distance = distances[i];
    std::sort(hits.begin(), hits.end());
  }

  mutable std::mutex norms_mutex_;
  mutable std::vector<float> norms_;
};

}  // namespace

std::unique_ptr<Index::Implementation> build_flat(const AnyMatrixView& rows,
                                                  const BuildOptions& options) {
  return std::make_unique<FlatIndex>(rows, options);
}

std::unique_ptr<Index::Implementation> load_flat(const KithFileReader& reader, const Meta& meta) {
  return std::make_unique<FlatIndex>(reader, meta);
}

}  // namespace kith
