// What a search returns: for each query its nearest vectors, nearest first, ties by id.
#pragma once

#include <cstddef>
#include <vector>

#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

// Row i belongs to query i. Short rows are padded with kNoId and +infinity. `distances` may be
// empty (0 x 0) when read from a file that has ids only.
struct Neighbours {
  Matrix<Id> ids;
  Matrix<float> distances;  // smaller is nearer; see customary() for what people expect to see

  Neighbours() = default;
  Neighbours(std::size_t queries, std::size_t k) : ids(queries, k), distances(queries, k) {}
  std::size_t queries() const { return ids.rows(); }
  std::size_t k() const { return ids.cols(); }
};

// All vectors within a radius: query i's hits are [offsets[i], offsets[i + 1]) of ids/distances.
struct RangeNeighbours {
  std::vector<std::size_t> offsets{0};
  std::vector<Id> ids;
  std::vector<float> distances;
};

}  // namespace kith
