// The two ways in which FlatSearch fills the candidate sets of a group of queries.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/progress.h"
#include "index/allowed.h"
#include "index/candidates.h"
#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

// The stored rows as both ways see them. `norms` is empty for l2; without `allowed`, all rows are.
struct FlatRows {
  const AnyMatrixView& rows;
  Metric metric;
  std::span<const float> norms;
  const Allowed* allowed = nullptr;

  bool allows(std::size_t row) const {
    return allowed == nullptr || (*allowed)(static_cast<Id>(row));
  }
};

// A group of queries and what is still possible for each. `raw` are the caller's query rows.
struct QueryGroup {
  AnyMatrixView raw;
  std::vector<PreciseQuery> queries;
  std::vector<CandidateSet> sets;
};

// Bound on the error of a float32 sum of `dim` products, in any order, relative to the sum of their
// magnitudes, with room for the roundings around it.
inline double sum_error(std::size_t dim) { return (static_cast<double>(dim) + 32) * 0x1p-24; }
// Covers what underflows.
inline constexpr float kAbsoluteError = 0x1p-120f;

// As tiles of a matrix product: queries in blocks that stay in cache, rows in chunks that all
// threads share. Narrow tiles are bfloat16 (see flat_tiles.h); the answer is the same. Progress
// counts rows * queries.
void search_as_product(const FlatRows& base, QueryGroup& group, const Control& control,
                       Progress& progress, bool narrow);

// Row by row with the distance kernels, pieces of the rows in parallel.
void search_as_scan(const FlatRows& base, QueryGroup& group, const Control& control,
                    Progress& progress);

}  // namespace kith
