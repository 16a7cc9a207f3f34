// kith bench: the family of measurements, one file a member.
#include "cli/cli.h"

namespace kith::cli {

void add_bench_change(CLI::App& bench);
void add_bench_codecs(CLI::App& bench);
void add_bench_encode(CLI::App& bench);
void add_bench_filters(CLI::App& bench);
void add_bench_kernels(CLI::App& bench);
void add_bench_peers(CLI::App& bench);
void add_bench_scaling(CLI::App& bench);
void add_bench_sparse(CLI::App& bench);

void add_bench(CLI::App& root) {
  CLI::App* bench = root.add_subcommand("bench", "Measure this machine and kith on it");
  bench->require_subcommand(1);
  add_bench_kernels(*bench);
  add_bench_codecs(*bench);
  add_bench_encode(*bench);
  add_bench_filters(*bench);
  add_bench_change(*bench);
  add_bench_peers(*bench);
  add_bench_scaling(*bench);
  add_bench_sparse(*bench);
}

}  // namespace kith::cli
