// How verbs read an index in two tiers: --disk-file, --direct, --disk-cache and --disk-reader.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/table.h"
#include "kith/index.h"

namespace kith::cli {

struct DiskChoices {
  OpenOptions open;
  std::string cache;
};

void add_disk_options(CLI::App& verb, DiskChoices& choices);
// `in_memory`: read the index itself into memory. Throws invalid_argument.
OpenOptions open_options(const DiskChoices& choices, bool in_memory = false);

// "64M" is 64 MiB; `option` names it in errors.
std::size_t parse_bytes(const std::string& option, const std::string& text);

// "1.50 GiB (1,544 bytes a vector)", of vectors on disk.
Cell disk_cell(std::size_t bytes, std::size_t vectors);
// Where the vectors are and what they take.
void add_disk(Record& record, const DiskInfo& disk, std::size_t vectors);

}  // namespace kith::cli
