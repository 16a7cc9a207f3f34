// kith judge select: which tasks can be left out, as the others predict them.
#include <memory>
#include <string>
#include <vector>

#include "cli/benchmark_results.h"
#include "cli/cli.h"
#include "cli/format.h"
#include "cli/options.h"
#include "cli/table.h"
#include "kith/benchmark.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::vector<std::string> folders;
  TaskSelectionOptions selection;
};

Cell fixed(double value) { return {value, fixed_text(value, 3)}; }

void run(const Options& options) {
  const BenchmarkTable results = read_results(options.folders);
  const TaskSelection selection = select_tasks(results, options.selection);
  Table table({"task", "verdict", "spearman", "error"});
  for (const std::string& task : selection.kept) table.add({task, "keep"});
  for (const RemovedTask& each : selection.removed) {
    table.add({each.task, "leave out", fixed(each.spearman), fixed(each.error)});
  }
  for (const std::string& task : selection.unusable) table.add({task, "not usable"});
  table.print(stdout, options.json);
}

}  // namespace

void add_judge_select(CLI::App& judge) {
  auto options = std::make_shared<Options>();
  TaskSelectionOptions& selection = options->selection;
  CLI::App* verb = judge.add_subcommand("select", "Tasks that the others make superfluous");
  verb->add_option("DIR", options->folders, "A folder of results a system (TASK.json), 5 or more")
      ->required()
      ->type_name("");
  verb->add_option("--spearman", selection.least_spearman,
                   "A task may go when it is predicted at least so well (default: 0.95)")
      ->check(number_above(-1, 1))
      ->type_name("X");
  verb->add_option("--error", selection.most_error,
                   "And with no larger mean squared error of z-scores (default: 0.2)")
      ->check(number_above(0, 1e9))
      ->type_name("X");
  verb->add_option("--keep", selection.keep, "A task to keep in any case; may come again")
      ->allow_extra_args(false)
      ->type_name("TASK");
  add_common_options(*verb, *options);
  add_examples(*verb,
               "kith judge select results/*\n"
               "kith judge select results/* --spearman 0.8 --error 0.5 --keep debian --json");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
