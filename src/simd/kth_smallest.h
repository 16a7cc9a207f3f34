// The k-th smallest of many floats, nearly: counting is much cheaper than partitioning.
#pragma once

#include <cstddef>
#include <span>

namespace kith::simd {

// A bound that at least k of the values are at most, and few more (k / 16, where values don't crowd
// together). 0 < k <= values.size(); no NaN. May reorder the values.
float bound_kth_smallest(std::span<float> values, std::size_t k);

}  // namespace kith::simd
