// --context and what goes with it, of verbs that run models on long texts.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "kith/context.h"

namespace kith::cli {

// --context, --extend, --ntk-lambda, --group, --window, --no-attention-scaling.
void add_context_options(CLI::App& verb, ContextOptions& options);

// All that vectors depend on, to be compared when a run goes on; empty where nothing was chosen.
nlohmann::json context_settings(const ContextOptions& options);

}  // namespace kith::cli
