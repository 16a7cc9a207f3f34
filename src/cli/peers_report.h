// What `kith bench peers` says: tables for people, programs and the README, and a plot.
#pragma once

#include <string>
#include <vector>

#include "cli/peers_run.h"
#include "cli/table.h"

namespace kith::cli {

// One row a variant: the setting that reaches the recall fastest, its rates, the ratio of its
// single rate to hnswlib's best, bytes and build time; or how far the variant gets.
Table peers_table(const PeersData& data, const std::vector<PeersEntry>& entries, double target);

// One row a variant and setting, for programs.
Table peers_rows(const PeersData& data, const std::vector<PeersEntry>& entries);

// The settings tried with their recalls, a paragraph a variant.
std::string peers_grid(const std::vector<PeersEntry>& entries);

// One table for all recalls, under a heading of the data set's name and shape.
std::string peers_markdown(const PeersData& data, const std::vector<PeersEntry>& entries,
                           const std::vector<double>& targets);

// Recall against single searches a CPU second.
std::string peers_svg(const PeersData& data, const std::vector<PeersEntry>& entries);

}  // namespace kith::cli
