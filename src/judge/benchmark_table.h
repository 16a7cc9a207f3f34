// Columns of a BenchmarkTable.
#pragma once

#include <cstddef>
#include <vector>

#include "kith/benchmark.h"

namespace kith::judge {

// Throws invalid_argument unless the shapes fit.
void check_table(const BenchmarkTable& table);

// A task's scores, system by system.
std::vector<double> scores_of(const BenchmarkTable& table, std::size_t task);

// Whether none is missing and not all are equal.
bool usable(const std::vector<double>& column);

}  // namespace kith::judge
