// Random unit vectors for tests.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/random.h"
#include "papers/common/data.h"

namespace kith::papers {

inline Matrix<float> unit_rows(std::size_t count, std::size_t dim, std::uint64_t seed) {
  Matrix<float> rows(count, dim);
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < dim; ++j) rows(i, j) = static_cast<float>(random.normal());
  }
  normalise(rows);
  return rows;
}

}  // namespace kith::papers
