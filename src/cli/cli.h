// What the verbs share: the common options, and the list of verbs. One file a verb: verb_NAME.cc
// defines `void add_NAME(CLI::App& root)`, which adds a subcommand whose callback does the work and
// throws kith::Error on failure. run() turns exceptions into one line on stderr and the exit code:
// 2 for usage (and invalid_argument), 1 for failure, 130 when cancelled.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "kith/control.h"

namespace kith::cli {

struct CommonOptions {
  std::size_t threads = 0;
  std::uint64_t seed = 1;
  bool json = false;

  // Threads, the Ctrl-C flag, and a progress bar when stderr is a terminal.
  Control control() const;
};

// --threads, --seed, --json.
void add_common_options(CLI::App& verb, CommonOptions& options);

// What the verb's --help ends with: `examples` holds one command or comment a line.
void add_examples(CLI::App& verb, const std::string& examples);

void add_verbs(CLI::App& root);  // verbs.cc: the list

// The whole tool but main(): parses, runs the verb and returns the exit code.
int run(int argc, char** argv);

}  // namespace kith::cli
