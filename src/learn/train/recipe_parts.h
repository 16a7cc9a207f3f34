// The tables that recipes of embedders and of language models share.
#pragma once

#include "learn/nn/text_model.h"
#include "learn/train/toml.h"
#include "learn/train/training_loop.h"

namespace kith::learn {

TextModelOptions read_model(TomlTable& recipe);
// Of [train]: what every training has.
void read_loop(TomlTable& train, LoopOptions& into);
// Of [validation].
void read_plan(TomlTable& validation, ValidationPlan& into);

inline constexpr std::int64_t kMostSteps = 1'000'000'000;
inline constexpr double kAnyNumber = 1e30;

}  // namespace kith::learn
