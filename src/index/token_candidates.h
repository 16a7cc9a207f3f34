// The single-vector heuristic (as ColBERT's first stage): sets that hold the nearest vectors of a
// query's vectors, each sought by itself among the vectors of all sets. What MUVERA is compared
// with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kith/neighbours.h"
#include "kith/vector_sets.h"

namespace kith {

// Candidates of each query, in the order in which they come up: the sets of all its vectors'
// nearest, then those of all second nearest and so on, a rank's by distance and then by id.
// `nearest` has a row for each vector of `queries`, in order, with ids of vectors that `offsets`
// assigns to sets; any search under Metric::ip gives it. With `distinct` a set is named once, with
// its first distance; else as often as its vectors come up. Throws invalid_argument when shapes
// don't fit.
RangeNeighbours token_candidates(const Neighbours& nearest, const VectorSetsView& queries,
                                 std::span<const std::uint64_t> offsets, bool distinct = true);

// The set of each vector.
std::vector<Id> sets_of_vectors(std::span<const std::uint64_t> offsets);

}  // namespace kith
