// Vectors that tests index, and whether two searches found the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"

namespace kith {

// Points around a few hundred centres: like embeddings, easier than noise and with uneven density.
inline Matrix<float> clustered(std::size_t rows, std::size_t dim, std::uint64_t seed,
                               std::uint64_t centre_seed = 99, float spread = 0.6f) {
  constexpr std::size_t kCentres = 200;
  Matrix<float> centres(kCentres, dim), x(rows, dim);
  Random centre_random(centre_seed), random(seed);
  for (std::size_t i = 0; i < kCentres; ++i) {
    for (std::size_t j = 0; j < dim; ++j) {
      centres(i, j) = static_cast<float>(centre_random.normal());
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t centre = random.below(kCentres);
    for (std::size_t j = 0; j < dim; ++j) {
      x(i, j) = centres(centre, j) + spread * static_cast<float>(random.normal());
    }
  }
  return x;
}

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

// The same ids at the same distances.
inline bool same(const Neighbours& a, const Neighbours& b) {
  for (std::size_t q = 0; q < a.queries(); ++q) {
    for (std::size_t i = 0; i < a.k(); ++i) {
      if (a.ids(q, i) != b.ids(q, i) || a.distances(q, i) != b.distances(q, i)) return false;
    }
  }
  return a.queries() == b.queries();
}

}  // namespace kith
