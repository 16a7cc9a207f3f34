// What recipes share.
#pragma once

#include <string>

#include "learn/nn/text_model.h"
#include "learn/train/toml.h"
#include "learn/train/training_loop.h"

namespace kith::learn {

// A recipe's file, or without a path settings alone.
TomlTable open_recipe(const std::string& path, const Overrides& settings);
// `output`, which all recipes have.
std::string read_output(TomlTable& recipe);
TextModelOptions read_model(TomlTable& recipe);
// Of [train]: what every training has.
void read_loop(TomlTable& train, LoopOptions& into);
// Of [validation].
void read_plan(TomlTable& validation, ValidationPlan& into);

inline constexpr std::int64_t kMostSteps = 1'000'000'000;
inline constexpr double kAnyNumber = 1e30;

}  // namespace kith::learn
