// Options that several verbs take, and checks whose messages name the value and what was expected.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "kith/vectors.h"

namespace kith::cli {

// Whole numbers in [least, most].
CLI::Validator whole_number(std::size_t least, std::size_t most = std::size_t{1} << 31);
// Numbers above `above`, at most `most`.
CLI::Validator number_above(double above, double most);

// Any number but NaN and infinities.
CLI::Validator finite_number();

// "10,20,40" as numbers, each in [least, most]; `option` names the list in errors.
std::vector<std::size_t> parse_counts(const std::string& option, const std::string& text,
                                      std::size_t least, std::size_t most);
// "0.1,-0.2" as floats; throws for what isn't a finite number.
std::vector<float> parse_components(const std::string& option, const std::string& text);
// The same as doubles, for numbers that are no vector's.
std::vector<double> parse_numbers(const std::string& option, const std::string& text);

// How a file of vectors or neighbours is to be read: --format and --dataset.
void add_read_options(CLI::App& verb, ReadOptions& options);

}  // namespace kith::cli
