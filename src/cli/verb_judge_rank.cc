// kith judge rank: which system is best over many tasks.
#include <memory>
#include <string>
#include <vector>

#include "cli/benchmark_results.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/table.h"
#include "kith/benchmark.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::vector<std::string> folders;
  bool correlations = false;
};

Cell fixed(double value, int digits) { return {value, fixed_text(value, digits)}; }

void print_correlations(const Options& options, const BenchmarkTable& table) {
  const Matrix<double> found = task_correlations(table);
  Table pairs({"task", "other", "spearman"});
  for (std::size_t a = 0; a < table.tasks.size(); ++a) {
    for (std::size_t b = a + 1; b < table.tasks.size(); ++b) {
      pairs.add({table.tasks[a], table.tasks[b], fixed(found(a, b), 3)});
    }
  }
  if (!options.json) std::printf("\n");
  pairs.print(stdout, options.json);
}

void run(const Options& options) {
  const BenchmarkTable results = read_results(options.folders);
  Table table({"system",
               "borda",
               {"mean_rank", "mean rank"},
               {"mean_score", "mean"},
               {"mean_by_type", "mean by type"},
               "tasks"});
  for (const SystemStanding& each : borda_standings(results)) {
    table.add({each.system, fixed(each.borda, 1), fixed(each.mean_rank, 2),
               fixed(each.mean_score, 4), fixed(each.mean_by_type, 4), each.tasks});
  }
  table.print(stdout, options.json);
  if (options.correlations) print_correlations(options, results);
}

}  // namespace

void add_judge_rank(CLI::App& judge) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = judge.add_subcommand("rank", "Systems by Borda count over all tasks");
  verb->add_option("DIR", options->folders, "A folder of results a system (TASK.json)")
      ->required()
      ->type_name("");
  verb->add_flag("--correlations", options->correlations,
                 "And how the tasks go together: Spearman of the systems' scores");
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith judge rank results/*\n"
               "kith judge rank results/small results/large --correlations --json");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
