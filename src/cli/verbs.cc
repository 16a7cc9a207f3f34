#include "cli/cli.h"

namespace kith::cli {

void add_convert(CLI::App& root);
void add_exact(CLI::App& root);
void add_bench(CLI::App& root);

// In the order of use, which is the order of `kith --help`.
void add_verbs(CLI::App& root) {
  add_convert(root);
  add_exact(root);
  add_bench(root);
}

}  // namespace kith::cli
