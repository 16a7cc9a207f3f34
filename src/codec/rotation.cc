#include "codec/rotation.h"

#include <bit>
#include <cmath>

#include "base/random.h"
#include "simd/kernels.h"

namespace kith {
namespace {

// Between the two halves; the middle of an odd length stays. Its own inverse.
void mix_halves(float* x, std::size_t n) {
  constexpr float kHalfRoot = 0.70710678118654752f;
  simd::butterfly(x, x + (n - n / 2), n / 2, kHalfRoot);
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
    simd::multiply(x, signs, dim_);
    simd::hadamard(round % 2 == 0 ? x : x + (dim_ - block_), block_, scale);
    mix_halves(x, dim_);
  }
}

void Rotation::invert(float* x) const {
  const float scale = 1.0f / std::sqrt(static_cast<float>(block_));
  for (int round = kRounds - 1; round >= 0; --round) {
    mix_halves(x, dim_);
    simd::hadamard(round % 2 == 0 ? x : x + (dim_ - block_), block_, scale);
    const float* signs = signs_.data() + static_cast<std::size_t>(round) * dim_;
    simd::multiply(x, signs, dim_);
  }
}

}  // namespace kith
