#include "cli/train_relevance.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/cli.h"
#include "cli/load_learn.h"
#include "cli/stopwatch.h"
#include "cli/times.h"
#include "cli/toml_text.h"
#include "cli/train_report.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::string recipe, task, model, output;
  std::vector<std::string> settings;
  bool restart = false;
};

void run(const Options& options, bool seeded) {
  learn::TrainRequest request;
  request.recipe = options.recipe;
  for (const auto& [key, value] : {std::pair("output", &options.output),
                                   {"data.task", &options.task},
                                   {"data.model", &options.model}}) {
    if (!value->empty()) request.settings.push_back(std::string(key) + "=" + quoted(*value));
  }
  request.settings.insert(request.settings.end(), options.settings.begin(), options.settings.end());
  if (seeded) request.settings.push_back("train.seed=" + std::to_string(options.seed));
  request.restart = options.restart;
  request.control = options.control();
  const Stopwatch watch;
  const learn::TrainSummary summary = load_learn().train_relevance(request);
  print_training(summary, Times(watch), options.json);
}

}  // namespace

void add_train_relevance(CLI::App& train) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = train.add_subcommand(
      "relevance", "Learn which hits are relevant, not only nearest, from judged queries");
  verb->add_option("RECIPE", options->recipe,
                   "What to train on, and how: a TOML file (default: options alone)")
      ->type_name("");
  verb->add_option("--task", options->task, "Folder of a retrieval task (BEIR's form)")
      ->type_name("DIR");
  verb->add_option("--model", options->model, "Model folder that makes the vectors")
      ->type_name("FOLDER");
  verb->add_option("-o,--output", options->output, "Folder to write, which must be new")
      ->type_name("FOLDER");
  verb->add_option("--set", options->settings,
                   "KEY=VALUE in place of what the recipe says, such as adapter.mapping=power")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  verb->add_flag("--restart", options->restart,
                 "Begin anew (default: an interrupted training goes on)");
  add_common_options(*verb, *options);
  CLI::Option* seed = verb->get_option("--seed");
  seed->description("Seed of everything random (default: the recipe's, else 1)");
  add_examples(*verb,
               "kith train relevance --task .cache/data/debian --model static-debian -o relevance\n"
               "kith train relevance shop.toml --set adapter.mapping=sqrt\n"
               "kith search shop.kith queries.npy --relevance relevance --min-relevance 0.5");
  verb->callback([options, seed] { run(*options, seed->count() > 0); });
}

}  // namespace kith::cli
