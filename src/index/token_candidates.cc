#include "index/token_candidates.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "base/topk.h"
#include "kith/error.h"

namespace kith {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, "token candidates: " + message);
}

// The sets that rank r of rows [begin, end) names, nearest first.
std::vector<Hit> rank_hits(const Neighbours& nearest, std::size_t begin, std::size_t end,
                           std::size_t rank, std::span<const Id> set_of) {
  std::vector<Hit> hits;
  for (std::size_t row = begin; row < end; ++row) {
    const Id id = nearest.ids(row, rank);
    if (id == kNoId) continue;
    if (id >= set_of.size()) {
      refuse("vector " + std::to_string(id) + ", but the sets have " +
             std::to_string(set_of.size()));
    }
    hits.push_back({nearest.distances(row, rank), set_of[id]});
  }
  std::sort(hits.begin(), hits.end());
  return hits;
}

}  // namespace

std::vector<Id> sets_of_vectors(std::span<const std::uint64_t> offsets) {
  std::vector<Id> sets;
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    sets.insert(sets.end(), offsets[i + 1] - offsets[i], static_cast<Id>(i));
  }
  return sets;
}

RangeNeighbours token_candidates(const Neighbours& nearest, const VectorSetsView& queries,
                                 std::span<const std::uint64_t> offsets, bool distinct) {
  if (nearest.queries() != queries.total() || nearest.distances.rows() != nearest.queries()) {
    refuse(std::to_string(nearest.queries()) + " lists of neighbours with " +
           std::to_string(nearest.distances.rows()) + " of distances, but the queries have " +
           std::to_string(queries.total()) + " vectors");
  }
  const std::vector<Id> set_of = sets_of_vectors(offsets);
  RangeNeighbours result;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const std::size_t begin = queries.offsets[q] - queries.offsets.front();
    std::unordered_set<Id> seen;
    for (std::size_t rank = 0; rank < nearest.k(); ++rank) {
      for (const Hit& hit : rank_hits(nearest, begin, begin + queries.length(q), rank, set_of)) {
        if (distinct && !seen.insert(hit.id).second) continue;
        result.ids.push_back(hit.id);
        result.distances.push_back(hit.distance);
      }
    }
    result.offsets.push_back(result.ids.size());
  }
  return result;
}

}  // namespace kith
