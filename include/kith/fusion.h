// One ranking out of several over the same collection, such as those of a dense and a sparse index
// (hybrid search), and one answer out of those of indexes that hold parts of a collection. Pure
// functions: any thread may call them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kith/neighbours.h"
#include "kith/types.h"

namespace kith {

enum class Fusion {
  // Sum of 1 / (k + rank) with ranks from 1: needs no scores (Cormack, Clarke and Buettcher,
  // "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", 2009).
  rrf,
  // Sum of scores that each list's least and largest move to 0 and 1. A list whose scores are all
  // equal gives 1s.
  min_max,
  // Sum of scores that each list's mean less and plus three standard deviations move to 0 and 1,
  // cut there: one outlier does not decide as much (distribution-based score fusion, Mazzeo, 2023).
  // A list whose scores are all equal gives 0.5s.
  distribution,
};

struct FusionOptions {
  Fusion method = Fusion::rrf;
  // One a list, 0 and above; empty: all 1. What a list adds is multiplied by its weight.
  std::vector<double> weights = {};
  double rrf_k = 60;  // above 0; the paper's value
  std::size_t k = 0;  // how many to return; 0: all
};

struct Ranked {
  Id id;
  double score;  // larger is better

  friend bool operator==(const Ranked&, const Ranked&) = default;
};

// Each list goes from best to worst, its ids distinct. Returns what any of them holds by descending
// fused score, ties by id; a list that lacks an id adds nothing to it. Throws invalid_argument for
// a weight or rrf_k out of range, another number of weights than lists, a score that isn't finite,
// or an id twice in one list.
std::vector<Ranked> fuse(std::span<const std::span<const Ranked>> lists,
                         const FusionOptions& options = {});

// The same for results of searches, query by query. All have as many queries; distances are turned
// into scores by their sign. Row i holds options.k hits (0: as many as the longest of `results`),
// padded; distances are negated fused scores.
Neighbours fuse(std::span<const Neighbours* const> results, const FusionOptions& options = {});

// The k nearest of what indexes over parts of a collection found, by distance, ties by id: what one
// index of all of them would answer. `first_ids` says where each part's ids start among all (0 and
// the sizes so far, say); empty: ids are the collection's already. k = 0: as many as the longest of
// `results`. Throws invalid_argument when they differ in queries or lack distances, for another
// number of first_ids, and for an id beyond kMaxVectors.
Neighbours merge(std::span<const Neighbours* const> results, std::size_t k = 0,
                 std::span<const Id> first_ids = {});

}  // namespace kith
