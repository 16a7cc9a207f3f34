// A search's hits as people and programs want them: without padding, and without the vector that
// was itself the query.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/cli.h"
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

// Writes what was found, with customary values, to a TREC run, whose rows are named, or to a file
// of neighbours, whose are numbered, and prints what that took.
void write_hits(const std::string& path, const Neighbours& found, Metric metric,
                const std::vector<std::string>& names, const Labels& labels, double wall,
                const CommonOptions& common);

inline constexpr std::size_t kMostShown = 10;  // queries that a table for people lists
// Says so where there are more.
void note_if_more(std::size_t queries);

// How a vector is called: numbers stay numbers in JSON, and are shown without grouping.
Cell label_cell(const Labels& labels, Id id);

}  // namespace kith::cli
