// A search's hits as people and programs want them: without padding, and without the vector that
// was itself the query.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/table.h"
#include "kith/index.h"
#include "kith/neighbours.h"

namespace kith::cli {

// Query q's hits without padding and without `self[q]` (kNoId: keep all), at most `k` of them.
// `self` may be empty.
RangeNeighbours trim(const Neighbours& found, const std::vector<Id>& self, std::size_t k);
RangeNeighbours trim(const RangeNeighbours& found, const std::vector<Id>& self);

// Rows of k, short ones padded, with customary values: what files hold.
Neighbours to_matrix(const RangeNeighbours& hits, std::size_t k, Metric metric);

// One row a hit: query (shown at its first hit), rank, label, customary value, and its relevance
// where these are given. Queries are called by `names`, or by their number where that is empty; the
// value's column by `title`, or else by the metric.
Table hits_table(const RangeNeighbours& hits, const std::vector<std::string>& names,
                 const Labels& labels, Metric metric, bool json,
                 const std::vector<double>& relevances = {}, const std::string& title = {});

// How a vector is called: numbers stay numbers in JSON, and are shown without grouping.
Cell label_cell(const Labels& labels, Id id);

}  // namespace kith::cli
