// Rows that have a direction: a row of zeros has no cosine.
#pragma once

#include <algorithm>
#include <vector>

#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

// Their numbers, ascending.
inline std::vector<Id> nonzero_rows(MatrixView<const float> rows) {
  std::vector<Id> numbers;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const float* row = rows.row(i);
    if (std::any_of(row, row + rows.cols(), [](float value) { return value != 0; })) {
      numbers.push_back(static_cast<Id>(i));
    }
  }
  return numbers;
}

}  // namespace kith
