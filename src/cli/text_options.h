// What verbs that read texts share: how files are read, and what is done with bytes that are no
// UTF-8.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kith::cli {

// --format, --field and --strict.
void add_text_options(CLI::App& verb, std::string& format, std::string& fields, bool& strict);

// "name,description" -> both.
std::vector<std::string> split_names(const std::string& text);

// Throws what --strict asks for: the first wrong byte of a text, which began at `line` of `input`.
[[noreturn]] void refuse_bytes(const std::string& input, std::uint64_t line, std::string_view text);

}  // namespace kith::cli
