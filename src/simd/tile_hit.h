// One value of a tile of a product that passed its threshold.
#pragma once

#include <cstdint>

namespace kith::simd {

struct TileHit {
  float value;
  std::uint16_t a, b;  // rows within their panels
};

}  // namespace kith::simd
