// The data sets that reproductions read: made by scripts of this repository and kept in a cache
// folder. A new set is a line in data.cc.
#pragma once

#include <cstddef>
#include <string>

#include "kith/labels.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"
#include "papers/common/paper.h"

namespace kith::papers {

// "" when the set is there, else a line that names the missing file and the command that makes it.
// Throws invalid_argument for a name that no set has.
std::string missing_data(const std::string& name, const std::string& cache);

// Distinct vectors of norm 1 and queries held out from them, both drawn by the trial's seed from a
// larger set, with the queries' exact neighbours.
struct Sample {
  Matrix<float> base, queries;
  Labels labels;     // of the base
  Neighbours truth;  // by cosine, 100 a query; for recall_at(found, truth, k)
};

// At most `rows` and `queries` of "words" (331,479 x 100), "debian-256" (300,000 x 256) or
// "debian-768" (60,210 x 768), which docs/peers.md describes. Throws not_found, saying how to make
// the set.
Sample load_sample(const std::string& name, std::size_t rows, std::size_t queries,
                   const Trial& trial);

// Exact neighbours by cosine as `Sample::truth` holds them.
Neighbours cosine_truth(const AnyMatrixView& base, const AnyMatrixView& queries, std::size_t k,
                        const Control& control);

}  // namespace kith::papers
