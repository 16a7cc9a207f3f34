// Vectors as another element type.
#pragma once

#include "kith/vectors.h"

namespace kith::formats {

// The rows as `type`, rounded to nearest; labels travel. Throws invalid_argument naming row and
// column of a component that doesn't fit (300 as u8, 1e6 as f16). Rows of that type already are
// returned as they are, without a copy. `name` is what errors call the vectors.
Vectors cast_rows(const Vectors& vectors, ElementType type, const std::string& name,
                  const Control& control);

}  // namespace kith::formats
