// kith train RECIPE.toml: embedders out of examples, by libkith-learn.
#pragma once

#include <CLI/CLI.hpp>

namespace kith::cli {

// Adds the recipe and its options to `train`, for when no subcommand is named.
void add_train_recipe(CLI::App& train);

}  // namespace kith::cli
