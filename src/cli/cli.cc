#include "cli/cli.h"

namespace kith::cli {

Control CommonOptions::control() const {
  Control control;
  control.threads = threads;
  return control;
}

void add_common_options(CLI::App& verb, CommonOptions& options) {
  verb.add_option("--threads", options.threads, "Threads to use (default: all processors)");
  verb.add_option("--seed", options.seed, "Seed of everything random");
  verb.add_flag("--json", options.json, "Print JSON instead of tables");
}

}  // namespace kith::cli
