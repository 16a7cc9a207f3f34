// The random numbers of fixed dimensional encodings (kith/fde.h). They follow from version, seed
// and shape alone, so that files need not hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kith/fde.h"
#include "kith/matrix.h"

namespace kith {

// To be raised when anything below gives other numbers: encodings of two versions don't mix.
inline constexpr std::uint64_t kFdeVersion = 1;

// For each repetition the `planes` normals, from a standard normal distribution, and then the
// inner_dim rows of the projection (none where inner_dim is 0): what a vector is multiplied with.
Matrix<float> fde_directions(std::size_t dim, const FdeOptions& options);

// The final projection: input i is added to output `target` with sign +1 or -1.
struct SketchEntry {
  std::uint32_t target;
  float sign;
};
std::vector<SketchEntry> count_sketch(std::size_t inputs, std::size_t outputs, std::uint64_t seed,
                                      std::uint64_t stream);

}  // namespace kith
