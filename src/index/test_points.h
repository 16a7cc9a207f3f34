// Points whose intrinsic dimension is known.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "kith/matrix.h"

namespace kith {

// Points uniform in a `flat`-dimensional cube that lies askew in `dim` dimensions.
inline Matrix<float> flat_cube(std::size_t rows, std::size_t dim, std::size_t flat,
                               std::uint64_t seed) {
  Random random(seed);
  std::vector<float> axes(flat * dim), at(flat);
  for (float& x : axes) x = random.normal();
  Matrix<float> points(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) {
    for (float& x : at) x = static_cast<float>(random.uniform());
    for (std::size_t j = 0; j < dim; ++j) {
      points.row(i)[j] = 0;
      for (std::size_t a = 0; a < flat; ++a) points.row(i)[j] += at[a] * axes[a * dim + j];
    }
  }
  return points;
}

}  // namespace kith
