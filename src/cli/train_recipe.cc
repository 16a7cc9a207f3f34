#include "cli/train_recipe.h"

#include <memory>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/load_learn.h"
#include "cli/output.h"
#include "cli/stopwatch.h"
#include "cli/table.h"
#include "cli/times.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::string recipe;
  std::vector<std::string> settings;
  bool restart = false;
};

Cell rounded(double value) {
  constexpr int kDigits = 4;
  return {value, significant_text(value, kDigits)};
}

std::string shown_metric(const std::string& metric) {
  return metric == "mrr_at_10" ? "MRR@10" : metric;
}

void train_recipe(const Options& options, bool seeded) {
  learn::TrainRequest request;
  request.recipe = options.recipe;
  request.settings = options.settings;
  if (seeded) request.settings.push_back("train.seed=" + std::to_string(options.seed));
  request.restart = options.restart;
  request.control = options.control();
  const Stopwatch watch;
  const learn::TrainSummary summary = load_learn().train(request);
  const Times times(watch);
  Record record;
  record.add("output", summary.output);
  record.add("parameters", summary.parameters);
  record.add("trained", "of which trained", summary.trained);
  record.add("steps", summary.steps);
  if (summary.first_step > 0) record.add("first_step", "went on from step", summary.first_step);
  record.add("candidates", "candidates a query", summary.candidates);
  record.add("first_loss", "loss at first", rounded(summary.first_loss));
  record.add("last_loss", "loss at last", rounded(summary.last_loss));
  if (!summary.metric.empty()) {
    record.add(summary.metric, "best " + shown_metric(summary.metric) + " of held-out data",
               rounded(summary.best_score));
    record.add("best_step", "of step", summary.best_step);
  }
  record.add("tokens_per_second", "tokens a second", rounded(summary.tokens_per_second));
  add_times(record, times);
  record.print(stdout, options.json);
}

}  // namespace

void add_train_recipe(CLI::App& train) {
  auto options = std::make_shared<Options>();
  train.add_option("RECIPE", options->recipe, "What to train on what, and how: a TOML file")
      ->type_name("");
  train
      .add_option("--set", options->settings,
                  "KEY=VALUE in place of what the recipe says, such as train.steps=100")
      ->type_name("KEY=VALUE");
  train.add_flag("--restart", options->restart,
                 "Begin anew (default: an interrupted training goes on)");
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
