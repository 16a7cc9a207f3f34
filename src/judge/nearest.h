// The exact search of rankings and bitext mining.
#pragma once

#include <cstddef>

#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"

namespace kith::judge {

// The k nearest rows of `base` to each query by cosine. A zero vector has no direction: as a row it
// is never found, as a query it finds nothing (kNoId in all places).
Neighbours nearest_by_cosine(const Matrix<float>& base, const Matrix<float>& queries, std::size_t k,
                             const Control& control);

}  // namespace kith::judge
