// What every search and build refuses, with one wording: shapes that don't fit, components that
// aren't finite, zero vectors under cosine. All throw invalid_argument.
#pragma once

#include <cstddef>
#include <vector>

#include "kith/control.h"
#include "kith/matrix.h"
#include "kith/types.h"

namespace kith {

// "queries: 100 dimensions, but the base has 128". No rows fit any dimension.
void check_same_dim(const AnyMatrixView& queries, std::size_t dim, const char* owner);

// Rows to store: some, not too many, of a dimension that can be.
void check_stored_rows(const AnyMatrixView& rows);

void check_k(std::size_t k);

// The Euclidean norm of every row, after checking that all components are finite and, under cosine,
// that no row is zero; else "base row 7, column 3: nan, expected a finite number". One pass over
// the rows, in parallel.
std::vector<float> checked_norms(const char* what, const AnyMatrixView& rows, Metric metric,
                                 const Control& control);

}  // namespace kith
