// A fast random orthogonal transform of exactly `dim` dimensions: four rounds of random sign flips,
// a Walsh-Hadamard transform of the first or last 2^t coordinates (2^t the largest power of two
// that fits), and a butterfly between the two halves. O(dim log dim). It spreads a vector's energy
// evenly over the coordinates, which scalar codes need: without it one large coordinate sets the
// step of all. RaBitQ (Gao and Long, 2024) uses this family of rotations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kith {

class Rotation {
 public:
  Rotation() = default;  // the identity of dimension 0
  // The same seed and dimension give the same transform on every machine.
  Rotation(std::size_t dim, std::uint64_t seed);

  std::size_t dim() const { return dim_; }
  std::uint64_t seed() const { return seed_; }

  // In place; keeps norms and inner products to float rounding. Thread-safe.
  void apply(float* x) const;
  void invert(float* x) const;

 private:
  static constexpr int kRounds = 4;

  std::size_t dim_ = 0, block_ = 0;
  std::uint64_t seed_ = 0;
  std::vector<float> signs_;  // kRounds x dim, each +1 or -1
};

}  // namespace kith
