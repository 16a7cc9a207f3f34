// Candidates judged by vectors on disk: what search keeps in memory finds them, and those that can
// still be among the nearest are read, of many queries at once.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/topk.h"
#include "codec/stage.h"
#include "index/allowed.h"
#include "index/scan_codes.h"
#include "kith/control.h"

namespace kith {

// Queries that are verified together, by one thread.
inline constexpr std::size_t kVerifiedTogether = 16;

struct Unverified {
  std::vector<float> query;  // transformed for the stage
  std::vector<Hit> hits;     // ascending, by what found them
};

// Leaves of each query's hits the k nearest by the stage's vectors, ascending. Those that were
// found farther than the k-th nearest by more than the margin don't matter. The same hits, bit for
// bit, as where the vectors are in memory (rescore_with in graph_search.cc).
void verify(const Stage& stage, std::span<Unverified> queries, std::size_t k, float margin,
            const Control& control);

// The k nearest of all that is allowed below `slots`, read one after the other. `query` is
// transformed.
std::vector<Hit> nearest_on_disk(const Stage& stage, const float* query, const Allowed& allowed,
                                 std::size_t slots, std::size_t k);

// Scores by a stage's best codes, wherever they are. It must outlive the scorer.
BestScorer best_scorer(const Stage& stage, const float* query);

}  // namespace kith
