// The data sets that reproductions read: made by scripts of this repository and kept in a cache
// folder. A new set is a line in data.cc; "train/NAME" is what `kith data train NAME` makes.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "kith/labels.h"
#include "kith/matrix.h"
#include "kith/neighbours.h"
#include "kith/suite.h"
#include "kith/vectors.h"
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

// All vectors of such a set but its queries, which were drawn at random.
Vectors load_base(const std::string& name, const Trial& trial);

// The tasks that `kith data NAME` makes. Throws not_found, saying how to make them.
std::vector<Task> load_tasks(const std::string& name, const Trial& trial);

// The file of JSON lines that `kith data train NAME` makes. Throws not_found, saying how.
std::string training_set(const std::string& name, const Trial& trial);

// The section ("editors", "libdevel" ...) of every Debian package, whose names are debian-768's
// labels. Throws not_found where debian-768 wasn't made, which leaves the package lists it read.
std::unordered_map<std::string, std::string> debian_sections(const Trial& trial);

// Scales every row to norm 1. Throws invalid_argument for a zero one.
void normalise(Matrix<float>& rows);

// Exact neighbours by cosine as `Sample::truth` holds them.
Neighbours cosine_truth(const AnyMatrixView& base, const AnyMatrixView& queries, std::size_t k,
                        const Control& control);

}  // namespace kith::papers
