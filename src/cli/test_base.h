// Collections for tests of memory, written row by row.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "base/random.h"
#include "kith/matrix.h"

namespace kith::cli {

// Points around a thousand centres, the same whatever the seed, as an .fbin file. Returns the bytes
// of the vectors.
inline std::size_t write_clusters(const std::string& path, std::uint32_t rows, std::uint32_t dim,
                                  std::uint64_t seed = 5) {
  constexpr std::uint32_t kCentres = 1000;
  constexpr std::uint64_t kCentreSeed = 5;
  Matrix<float> centres(kCentres, dim);
  Random random(kCentreSeed);
  for (std::uint32_t c = 0; c < kCentres; ++c) {
    for (std::uint32_t j = 0; j < dim; ++j) centres(c, j) = static_cast<float>(random.normal());
  }
  if (seed != kCentreSeed) random = Random(seed);
  std::ofstream file(path, std::ios::binary);
  const std::uint32_t header[2] = {rows, dim};
  file.write(reinterpret_cast<const char*>(header), sizeof header);
  std::vector<float> x(dim);
  for (std::uint32_t i = 0; i < rows; ++i) {
    const float* centre = centres.row(random.below(kCentres));
    for (std::uint32_t j = 0; j < dim; j += 4) {  // four numbers of 16 bits out of one draw
      const std::uint64_t bits = random.next();
      for (std::uint32_t k = j; k < std::min(dim, j + 4); ++k) {
        const auto noise = static_cast<std::int16_t>(bits >> (16 * (k - j)));
        x[k] = centre[k] + static_cast<float>(noise) / 32768;
      }
    }
    file.write(reinterpret_cast<const char*>(x.data()), dim * sizeof(float));
  }
  return std::size_t{rows} * dim * sizeof(float);
}

}  // namespace kith::cli
