// --think and what goes with it, of verbs that run models which think about queries.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "kith/text_encoder.h"

namespace kith::cli {

// --think, --temperature, --top-p, --thought-tokens. `options` is set when --think is given.
void add_think_options(CLI::App& verb, std::optional<ThinkOptions>& options);

// All that vectors depend on; empty without thoughts.
nlohmann::json think_settings(const std::optional<ThinkOptions>& options);

}  // namespace kith::cli
