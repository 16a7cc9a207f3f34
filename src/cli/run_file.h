// Hits as a TREC run, which `kith fuse` and evaluation programs read.
#pragma once

#include <string>
#include <vector>

#include "kith/labels.h"
#include "kith/neighbours.h"

namespace kith::cli {

// By the name: .run or .trec.
bool is_run_path(const std::string& path);

// `found` holds customary values; squared distances are negated, so that larger is better. `names`:
// one a query, or none for numbers.
void write_run(const std::string& path, const Neighbours& found, Metric metric,
               const std::vector<std::string>& names, const Labels& labels);

}  // namespace kith::cli
