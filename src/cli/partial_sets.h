// Sets of vectors that take long to make, as PartialRows keeps them: rows are the vectors of all
// sets, and the line of a set is how many it has and, behind a tab, its label.
#pragma once

#include <string>
#include <vector>

#include "cli/partial_rows.h"
#include "kith/vector_sets.h"

namespace kith::cli {

// The lines of some sets; `labels`: one each, or none at all.
std::vector<std::string> set_lines(const VectorSetsView& sets,
                                   const std::vector<std::string>& labels);

// Writes the file, by its extension, and removes the parts.
void finish_sets(PartialRows& rows, const Control& control);

}  // namespace kith::cli
