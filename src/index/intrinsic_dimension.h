// How many directions vectors really spread in around a point, whatever the number of their
// components: the local intrinsic dimension, by maximum likelihood from the distances to the
// nearest neighbours (Levina and Bickel, "Maximum Likelihood Estimation of Intrinsic Dimension",
// 2004; Amsaleg et al., "Estimating Local Intrinsic Dimensionality", 2015).
#pragma once

#include <cstdint>
#include <span>

#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

// From the ascending Euclidean distances r to the k nearest neighbours: -1 / mean(ln(r_i / r_k)),
// over those that aren't zero. 0 when they tell nothing: all zero, or all equal.
double local_intrinsic_dimension(std::span<const double> distances);

// The median of a few hundred points of a sample of the rows, under the metric's geometry (ip:
// Euclidean). 0 when there are too few rows to tell.
double median_intrinsic_dimension(const AnyMatrixView& rows, Metric metric, std::uint64_t seed,
                                  const Control& control);

}  // namespace kith
