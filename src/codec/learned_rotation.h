// The rotation of optimised product quantisation (Ge, He, Ke and Sun, "Optimized product
// quantization for approximate nearest neighbor search", 2013): a vector is turned before it is cut
// into parts, so that the parts' codewords err least.
#pragma once

#include <cstddef>

#include "kith/control.h"
#include "kith/matrix.h"

namespace kith {

// Both return an orthogonal dim x dim matrix R; a row vector x becomes R x.

// The parametric solution: directions of largest variance are dealt out to `parts` parts of
// nearly equal width, each to the part whose product of variances is smallest so far.
Matrix<float> allocate_directions(MatrixView<const float> sample, std::size_t parts,
                                  const Control& control);

// The orthogonal Procrustes problem: the R for which the rows of `sample` turned come nearest to
// those of `targets`, from the singular vectors of their products.
Matrix<float> procrustes(MatrixView<const float> sample, MatrixView<const float> targets,
                         const Control& control);

}  // namespace kith
