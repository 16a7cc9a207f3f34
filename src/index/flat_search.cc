#include "index/flat_search.h"

#include <algorithm>
#include <limits>

#include "base/parallel.h"
#include "base/progress.h"
#include "index/candidates.h"
#include "index/checks.h"
#include "index/flat_batch.h"
#include "simd/kernels.h"
#include "simd/matmul.h"
#include "simd/narrow_tiles.h"

namespace kith {
namespace {

// Below this many queries, packing rows for a product costs more than scanning them.
constexpr std::size_t kScanBelow = 12;
// A group's candidate sets stay within this; groups are as large as that allows, so that packing
// the rows again for each group costs nothing beside the product.
constexpr std::size_t kGroupBytes = 256 << 20;
constexpr std::size_t kSmallestGroup = 256, kLargestGroup = 8192;

// Where panels are too few for all threads, these scan instead; but bfloat16 products alone outrun
// them.
bool scans(std::size_t queries, const Control& control, bool narrow) {
  const std::size_t panels = queries / simd::matmul_kernels().a_rows;
  return queries < kScanBelow || (!narrow && panels < thread_count(control));
}

// Runs `make_set(query)` for each query of a group, searches, and hands each query's hits to
// `take(query number, hits)`, in order.
template <class MakeSet, class Take>
void search_groups(const FlatRows& base, const AnyMatrixView& queries, std::size_t group_size,
                   const Control& control, const MakeSet& make_set, const Take& take) {
  const std::size_t dim = base.rows.dim();
  const bool narrow = queries.rows() >= kScanBelow && simd::bf16_is_faster();
  Progress progress(control, "exact", queries.rows() * base.rows.rows());
  for (std::size_t first = 0; first < queries.rows(); first += group_size) {
    const std::size_t count = std::min(group_size, queries.rows() - first);
    Matrix<float> converted(queries.type() == ElementType::f32 ? 0 : count, dim);
    QueryGroup group{queries.slice(first, count), {}, {}};
    group.queries.reserve(count);
    group.sets.reserve(count);
    for (std::size_t q = 0; q < count; ++q) {
      const void* row = queries.row(first + q);
      if (queries.type() != ElementType::f32) {
        simd::to_float(queries.type(), row, dim, converted.row(q));
        row = converted.row(q);
      }
      group.queries.emplace_back(base.rows, base.metric, static_cast<const float*>(row));
      group.sets.push_back(make_set(group.queries.back()));
    }
    if (scans(count, control, narrow)) {
      search_as_scan(base, group, control, progress);
    } else {
      search_as_product(base, group, control, progress, narrow);
    }
    std::vector<std::vector<Hit>> hits(count);
    parallel_for(control, count, 16, [&](std::size_t begin, std::size_t end, std::size_t) {
      CandidateScratch scratch(dim);
      for (std::size_t q = begin; q < end; ++q) {
        hits[q] = group.sets[q].finish(group.queries[q], scratch);
      }
    });
    for (std::size_t q = 0; q < count; ++q) take(first + q, hits[q]);
  }
}

}  // namespace

FlatSearch::FlatSearch(const AnyMatrixView& rows, Metric metric, std::span<const float> norms,
                       const Control& control)
    : rows_(rows), metric_(metric), norms_(norms) {
  if (metric != Metric::l2 && norms_.empty()) {
    own_norms_ = checked_norms("base", rows, metric, control);
    norms_ = own_norms_;
  }
}

Neighbours FlatSearch::search(const AnyMatrixView& queries, std::size_t k, const Control& control,
                              const Allowed* allowed) const {
  Neighbours result(queries.rows(), k);
  const std::size_t kept = std::min(k, rows_.rows());
  const std::size_t group_size =
      std::clamp(kGroupBytes / CandidateSet::bytes(kept), kSmallestGroup, kLargestGroup);
  search_groups(
      {rows_, metric_, norms_, allowed}, queries, group_size, control,
      [kept](const PreciseQuery&) { return CandidateSet(kept); },
      [&](std::size_t query, const std::vector<Hit>& hits) {
        Id* ids = result.ids.row(query);
        float* distances = result.distances.row(query);
        std::fill(ids, ids + k, kNoId);
        std::fill(distances, distances + k, std::numeric_limits<float>::infinity());
        for (std::size_t j = 0; j < hits.size(); ++j) {
          ids[j] = hits[j].id;
          distances[j] = hits[j].distance;
        }
      });
  return result;
}

RangeNeighbours FlatSearch::range(const AnyMatrixView& queries, float radius,
                                  const Control& control, const Allowed* allowed) const {
  RangeNeighbours result;
  search_groups(
      {rows_, metric_, norms_, allowed}, queries, kSmallestGroup, control,
      [radius](const PreciseQuery& query) { return CandidateSet(radius, query); },
      [&](std::size_t, const std::vector<Hit>& hits) {
        for (const Hit& hit : hits) {
          result.ids.push_back(hit.id);
          result.distances.push_back(hit.distance);
        }
        result.offsets.push_back(result.ids.size());
      });
  return result;
}

}  // namespace kith
