#include "cli/cli.h"

namespace kith::cli {

// In the order of use, which is the order of `kith --help`.
void add_verbs(CLI::App&) {}

}  // namespace kith::cli
