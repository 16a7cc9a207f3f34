// Estimates of the intrinsic dimension from distances; kith/lid.h says what it is and whose they
// are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"
#include "kith/types.h"

namespace kith {

// The ascending distances above 0 in row `row` of `found`, but for `self`'s, at most `most`, as
// Euclidean ones up to a common factor. (l2 is squared as it is, cosine half the square of the
// distance of directions.)
void neighbour_distances(const Neighbours& found, std::size_t row, Id self, std::size_t most,
                         std::vector<double>& distances);

// From such distances r to the k nearest neighbours: -1 / mean(ln(r_i / r_k)). 0 when they tell
// nothing: none, or all equal.
double local_intrinsic_dimension(std::span<const double> distances);

// From r_2 / r_1 of many points (those below 1 are left out), by the fit of Facco et al. (2017). 0
// when they tell nothing. Sorts.
double two_nearest_dimension(std::vector<float> ratios);

// The median LID of a few hundred points in a sample of the rows, under the metric's geometry (ip:
// Euclidean). 0 when there are too few rows to tell.
double median_intrinsic_dimension(const AnyMatrixView& rows, Metric metric, std::uint64_t seed,
                                  const Control& control);

}  // namespace kith
