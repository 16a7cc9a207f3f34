// kith train codec.
#pragma once

#include <CLI/CLI.hpp>

namespace kith::cli {

void add_train_codec(CLI::App& train);

}  // namespace kith::cli
