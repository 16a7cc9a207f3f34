// The two 16-bit floating-point formats as storage types: IEEE binary16 (`Half`) and the upper half
// of a binary32 (`BFloat16`). Arithmetic happens in float; conversions round to nearest even, keep
// NaN, and overflow to infinity. Any thread may use them; a conversion costs a few nanoseconds
// (bulk conversion is in src/simd).
#pragma once

#include <bit>
#include <cstdint>

namespace kith {

struct Half {
  std::uint16_t bits = 0;

  Half() = default;
  explicit Half(float value) : bits(from_float(value)) {}
  explicit operator float() const { return to_float(bits); }

 private:
  static std::uint16_t from_float(float value) {
    const std::uint32_t f = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = (f >> 16) & 0x8000u;
    const std::uint32_t magnitude = f & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);   // NaN
    if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // >= 65520
    if (magnitude < 0x38800000u) {  // below 2^-14: subnormal; adding 0.5 lets the FPU round
      const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
      return static_cast<std::uint16_t>(sign |
                                        (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
    }
    const std::uint32_t odd = (magnitude >> 13) & 1u;
    return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
  }

  static float to_float(std::uint16_t h) {
    const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000u) << 16;
    const std::uint32_t magnitude = h & 0x7fffu;
    if (magnitude >= 0x7c00u) {
      return std::bit_cast<float>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
    }
    // 2^112 moves binary16's exponent bias to binary32's and normalises subnormals on the way.
    const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(scaled));
  }
};

struct BFloat16 {
  std::uint16_t bits = 0;

  BFloat16() = default;
  explicit BFloat16(float value) {
    const std::uint32_t f = std::bit_cast<std::uint32_t>(value);
    const bool nan = (f & 0x7fffffffu) > 0x7f800000u;
    // Rounding could carry a NaN's payload away; setting a high bit of it keeps it one.
    const std::uint32_t rounded = nan ? f | 0x400000u : f + 0x7fffu + ((f >> 16) & 1u);
    bits = static_cast<std::uint16_t>(rounded >> 16);
  }
  explicit operator float() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
};

}  // namespace kith
