// Some rows of a view of any element type, as floats.
#pragma once

#include <cstdint>
#include <span>

#include "kith/matrix.h"

namespace kith {

inline Matrix<float> copy_rows(const AnyMatrixView& rows, std::span<const std::uint32_t> numbers) {
  Matrix<float> copy(numbers.size(), rows.dim());
  for (std::size_t i = 0; i < numbers.size(); ++i) rows.copy_row(numbers[i], copy.row(i));
  return copy;
}

}  // namespace kith
