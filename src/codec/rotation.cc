#include "codec/rotation.h"

#include <bit>
#include <cmath>

#include "base/random.h"

namespace kith {
namespace {

// Walsh-Hadamard transform times `scale`; n is a power of two.
void hadamard(float* x, std::size_t n, float scale) {
  for (std::size_t i = 0; i < n; ++i) x[i] *= scale;
  for (std::size_t half = 1; half < n; half *= 2) {
    for (std::size_t start = 0; start < n; start += 2 * half) {
      float* low = x + start;
      float* high = x + start + half;
      for (std::size_t i = 0; i < half; ++i) {
        const float a = low[i], b = high[i];
        low[i] = a + b;
        high[i] = a - b;
      }
    }
  }
}

// (a, b) -> (a + b, a - b) / sqrt 2 between the two halves; the middle of an odd length stays. Its
// own inverse.
void butterfly(float* x, std::size_t n) {
  constexpr float kHalfRoot = 0.70710678118654752f;
  const std::size_t half = n / 2;
  float* high = x + (n - half);
  for (std::size_t i = 0; i < half; ++i) {
    const float a = x[i], b = high[i];
    x[i] = (a + b) * kHalfRoot;
    high[i] = (a - b) * kHalfRoot;
  }
}

}  // namespace

Rotation::Rotation(std::size_t dim, std::uint64_t seed)
    : dim_(dim), block_(std::bit_floor(dim)), seed_(seed), signs_(kRounds * dim) {
  Random random(seed, /*stream=*/0x726f74);
  for (float& sign : signs_) sign = (random.next() >> 63) != 0 ? 1.0f : -1.0f;
}

void Rotation::apply(float* x) const {
  const float scale = 1.0f / std::sqrt(static_cast<float>(block_));
  for (int round = 0; round < kRounds; ++round) {
    const float* signs = signs_.data() + static_cast<std::size_t>(round) * dim_;
    for (std::size_t i = 0; i < dim_; ++i) x[i] *= signs[i];
    hadamard(round % 2 == 0 ? x : x + (dim_ - block_), block_, scale);
    butterfly(x, dim_);
  }
}

void Rotation::invert(float* x) const {
  const float scale = 1.0f / std::sqrt(static_cast<float>(block_));
  for (int round = kRounds - 1; round >= 0; --round) {
    butterfly(x, dim_);
    hadamard(round % 2 == 0 ? x : x + (dim_ - block_), block_, scale);
    const float* signs = signs_.data() + static_cast<std::size_t>(round) * dim_;
    for (std::size_t i = 0; i < dim_; ++i) x[i] *= signs[i];
  }
}

}  // namespace kith
