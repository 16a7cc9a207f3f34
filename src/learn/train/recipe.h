// Recipes: trainings as TOML, with the names of the C++ options. docs/training.md lists the keys.
#pragma once

#include <string>

#include "learn/train/toml.h"
#include "learn/train/trainer.h"

namespace kith::learn {

// Throws as TomlTable does, and invalid_argument naming the key for what can't be.
// Its [[data]], each with what [loss] says of all.
std::vector<TrainSource> read_sources(TomlTable& recipe);

Recipe read_recipe(const std::string& path, const Overrides& settings);

}  // namespace kith::learn
