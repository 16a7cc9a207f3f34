// The options of building an index, shared by `kith build` and its forecast `kith plan`.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/cli.h"
#include "kith/index.h"

namespace kith::cli {

struct BuildChoices {
  std::string metric = "l2", trained;
  BuildOptions options;

  // With the metric parsed (throws naming the choices), and the common options' seed and control.
  BuildOptions build_options(const CommonOptions& common) const;
};

// What `kith train codec` wrote, given its folder or the file itself.
std::string trained_file(const std::string& path);
// The same, read: into the options' trained, binariser or codebooks.
void read_trained(const std::string& path, BuildOptions& options);

// --metric, --index, --codec, --degree, --lists, --balance, --trained, --build-beam, --order,
// --recall.
void add_build_choices(CLI::App& verb, BuildChoices& choices);

}  // namespace kith::cli
