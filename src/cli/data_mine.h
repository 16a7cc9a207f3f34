// kith data mine: hard negatives for pairs that are there already.
#pragma once

#include <CLI/CLI.hpp>

namespace kith::cli {

void add_data_mine(CLI::App& data);

}  // namespace kith::cli
