// kith train relevance.
#pragma once

#include <CLI/CLI.hpp>

namespace kith::cli {

void add_train_relevance(CLI::App& train);

}  // namespace kith::cli
