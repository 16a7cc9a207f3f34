// Under cosine a distance is 1 - similarity, and its rounding makes ties that similarities don't
// have. What is judged by recall_at is judged by negative similarities, truth and found alike.
#pragma once

#include "kith/neighbours.h"
#include "kith/types.h"

namespace kith {

// Distances become negative similarities under cosine, and stay as they are otherwise.
inline void judge_by_similarity(Neighbours& neighbours, Metric metric) {
  if (metric != Metric::cosine) return;
  for (std::size_t q = 0; q < neighbours.queries(); ++q) {
    for (std::size_t i = 0; i < neighbours.k(); ++i) neighbours.distances(q, i) -= 1;
  }
}

}  // namespace kith
