// A data set as the comparison with the peers uses it: unit vectors without exact duplicates, split
// into a base and queries that are held out of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kith/labels.h"
#include "kith/matrix.h"

namespace kith::bench {

// Scales every row to norm 1. Zero rows stay zero.
void normalise(Matrix<float>& rows);

// Drops zero rows and exact duplicates (the first of equal rows stays), holds out `queries` rows
// chosen by the seed, and writes FOLDER/NAME.base.fbin and FOLDER/NAME.query.fbin with their labels
// beside them. `base_limit` keeps only so many base rows, chosen by the seed; 0 keeps all.
// Throws invalid_argument when too few rows are left.
void write_split(const std::string& folder, const std::string& name, const Matrix<float>& rows,
                 const Labels& labels, std::size_t queries, std::size_t base_limit,
                 std::uint64_t seed);

}  // namespace kith::bench
