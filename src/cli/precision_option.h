// --precision, of verbs that run models.
#pragma once

#include <CLI/CLI.hpp>
#include <string_view>

#include "kith/precision.h"

namespace kith::cli {

// All there are, from exact to fast, and what they are called.
inline constexpr Precision kPrecisions[] = {Precision::f32, Precision::bf16, Precision::int8};
const char* precision_name(Precision precision);
// Throws corrupt for a name that is none.
Precision precision_named(std::string_view name);

void add_precision_option(CLI::App& verb, Precision& precision);

}  // namespace kith::cli
