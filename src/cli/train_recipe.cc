#include "cli/train_recipe.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/stopwatch.h"
#include "cli/times.h"
#include "cli/train_processes.h"
#include "cli/train_report.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::string recipe;
  std::vector<std::string> settings;
  bool restart = false;
  std::size_t processes = 0;  // 0: as the environment says
};

void train_recipe(const Options& options, bool seeded) {
  learn::TrainRequest request;
  request.recipe = options.recipe;
  request.settings = options.settings;
  if (seeded) request.settings.push_back("train.seed=" + std::to_string(options.seed));
  request.restart = options.restart;
  request.control = options.control();
  const Stopwatch watch;
  const auto report = [&](const learn::TrainSummary& summary) {
    print_training(summary, Times(watch), options.json);
  };
  train_by(options.processes, &learn::Registry::train, std::move(request), report);
}

}  // namespace

void add_train_recipe(CLI::App& train) {
  auto options = std::make_shared<Options>();
  train.add_option("RECIPE", options->recipe, "What to train on what, and how: a TOML file")
      ->type_name("");
  train
      .add_option("--set", options->settings,
                  "KEY=VALUE in place of what the recipe says, such as train.steps=100")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  train.add_flag("--restart", options->restart,
                 "Begin anew (default: an interrupted training goes on)");
  add_processes_option(train, options->processes);
  add_common_options(train, *options);
  CLI::Option* seed = train.get_option("--seed");
  seed->description("Seed of everything random (default: the recipe's, else 1)");
  add_examples(train,
               "kith train recipes/debian.toml\n"
               "kith train debian.toml --set train.steps=200 --set output=quick\n"
               "kith train tokenizer texts.txt --vocab 8000 -o tokenizer.json\n"
               "# Interrupted? The same command goes on from where it was.");
  train.callback([options, seed, &train] {
    if (!train.get_subcommands().empty()) return;
    if (options->recipe.empty()) {
      throw Error(ErrorCode::invalid_argument, "train: no recipe, expected a TOML file");
    }
    train_recipe(*options, seed->count() > 0);
  });
}

}  // namespace kith::cli
