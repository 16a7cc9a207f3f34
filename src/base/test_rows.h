// Rows that tests make up.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/random.h"
#include "kith/matrix.h"

namespace kith {

// Components are normal around zero, with standard deviation `spread`.
inline Matrix<float> normal_rows(std::size_t rows, std::size_t dim, std::uint64_t seed,
                                 double spread = 1) {
  Random random(seed);
  Matrix<float> x(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < dim; ++j) {
      x.row(i)[j] = static_cast<float>(spread * random.normal());
    }
  }
  return x;
}

// Of length 1, in all directions alike.
inline Matrix<float> directions(std::size_t rows, std::size_t dim, Random& random) {
  Matrix<float> x(rows, dim);
  for (std::size_t i = 0; i < rows; ++i) {
    double squares = 0;
    for (std::size_t j = 0; j < dim; ++j) {
      x(i, j) = static_cast<float>(random.normal());
      squares += double{x(i, j)} * x(i, j);
    }
    for (std::size_t j = 0; j < dim; ++j) x(i, j) /= static_cast<float>(std::sqrt(squares));
  }
  return x;
}

}  // namespace kith
