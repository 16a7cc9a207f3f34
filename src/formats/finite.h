// NaN and infinities among what a file holds.
#pragma once

#include <string>

#include "kith/control.h"
#include "kith/matrix.h"

namespace kith::formats {

// Throws corrupt naming row and column of the first component that isn't finite. One pass over the
// rows, in parallel.
void check_finite(const std::string& name, const AnyMatrixView& rows, const Control& control);

}  // namespace kith::formats
