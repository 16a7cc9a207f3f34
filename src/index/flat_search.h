// Exact nearest neighbours over stored rows of any element type: batches as blocked matrix
// products, few queries as scans. Both only discard rows that provably aren't among the nearest
// (see candidates.h), so they give the same answer to the bit.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "index/allowed.h"
#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"
#include "kith/types.h"

namespace kith {

class FlatSearch {
 public:
  // Keeps references to the rows and norms. `norms` holds each row's Euclidean norm; when it is
  // empty, ip and cosine compute them here (one pass), l2 needs none. Components must be finite.
  FlatSearch(const AnyMatrixView& rows, Metric metric, std::span<const float> norms = {},
             const Control& control = {});
  FlatSearch(const FlatSearch&) = delete;
  FlatSearch& operator=(const FlatSearch&) = delete;

  // The k nearest rows of each query, ties by id, padded with kNoId and +infinity. Queries must
  // have the rows' dimension and finite components (checks.h). Thread-safe. Reports progress under
  // the name "exact". Of the rows only those `allowed`, all when it is null.
  Neighbours search(const AnyMatrixView& queries, std::size_t k, const Control& control,
                    const Allowed* allowed = nullptr) const;

  // All rows within `radius` (a distance, smaller is nearer), nearest first.
  RangeNeighbours range(const AnyMatrixView& queries, float radius, const Control& control,
                        const Allowed* allowed = nullptr) const;

 private:
  AnyMatrixView rows_;
  Metric metric_;
  std::vector<float> own_norms_;
  std::span<const float> norms_;
};

}  // namespace kith
