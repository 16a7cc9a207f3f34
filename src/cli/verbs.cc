#include "cli/cli.h"

namespace kith::cli {

void add_verbs(CLI::App&) {}

}  // namespace kith::cli
