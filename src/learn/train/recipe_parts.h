// What recipes share.
#pragma once

#include <string>

#include "kith/types.h"
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
// [train] of what has nothing more than the size of its batches, of `least` to 2^20.
void read_batches(TomlTable& recipe, LoopOptions& into, std::int64_t& batch, std::int64_t least);
// Of [validation].
void read_plan(TomlTable& validation, ValidationPlan& into);
// `metric` of [data]: l2, ip or cosine.
void read_metric(TomlTable& data, Metric& into);
// [validation] that has a file of held-out queries.
void read_held_out(TomlTable& recipe, std::string& queries, ValidationPlan& into);

inline constexpr std::int64_t kMostSteps = 1'000'000'000;
inline constexpr double kAnyNumber = 1e30;

}  // namespace kith::learn
