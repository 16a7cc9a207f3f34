// kith data vote: of candidate thoughts about a query the one that a committee prefers.
#pragma once

#include <CLI/CLI.hpp>

namespace kith::cli {

void add_data_vote(CLI::App& data);

}  // namespace kith::cli
