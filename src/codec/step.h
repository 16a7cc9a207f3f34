// The factor that takes differences to steps of a scalar code.
#pragma once

#include <algorithm>
#include <limits>

namespace kith {

// 1 / step; 0 where there are no differences. Finite, however small the step: a difference of 0 is
// then 0 steps.
inline float inverse_of(float step) {
  return step > 0 ? std::min(1 / step, std::numeric_limits<float>::max()) : 0;
}

}  // namespace kith
