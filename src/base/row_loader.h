// Rows that are made when asked for, such as those of a matrix or what an index can decode.
#pragma once

#include <cstddef>
#include <functional>

#include "kith/matrix.h"

namespace kith {

// Row i as floats into `out`. Any number of threads may ask.
using RowLoader = std::function<void(std::size_t i, float* out)>;

inline RowLoader loader_of(const AnyMatrixView& rows) {
  return [rows](std::size_t i, float* out) { rows.copy_row(i, out); };
}

}  // namespace kith
