// Results in MTEB's form as a table of systems and tasks.
#pragma once

#include <string>
#include <vector>

#include "kith/benchmark.h"

namespace kith::cli {

// A folder a system, whose files TASK.json hold results; systems are called by their folders. A
// task that a system lacks is NaN. Throws not_found for a folder without results, corrupt naming
// file and field.
BenchmarkTable read_results(const std::vector<std::string>& folders);

}  // namespace kith::cli
