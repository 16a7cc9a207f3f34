#include "cli/train_relevance.h"

#include <memory>
#include <string>

#include "cli/load_learn.h"
#include "cli/recipe_options.h"
#include "cli/stopwatch.h"
#include "cli/times.h"
#include "cli/train_report.h"

namespace kith::cli {
namespace {

struct Options : RecipeOptions {
  std::string task, model;
};

void run(const Options& options) {
  const learn::TrainRequest request = recipe_request(
      options, {{"data.task", toml_text(options.task)}, {"data.model", toml_text(options.model)}});
  const Stopwatch watch;
  const learn::TrainSummary summary = load_learn().train_relevance(request);
  print_training(summary, Times(watch), options.json);
}

}  // namespace

void add_train_relevance(CLI::App& train) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = train.add_subcommand(
      "relevance", "Learn which hits are relevant, not only nearest, from judged queries");
  verb->add_option("--task", options->task, "Folder of a retrieval task (BEIR's form)")
      ->type_name("DIR");
  verb->add_option("--model", options->model, "Model folder that makes the vectors")
      ->type_name("FOLDER");
  add_recipe_options(*verb, *options, "adapter.mapping=power");
  add_examples(*verb,
               "kith train relevance --task .cache/data/debian --model static-debian -o relevance\n"
               "kith train relevance shop.toml --set adapter.mapping=sqrt\n"
               "kith search shop.kith queries.npy --relevance relevance --min-relevance 0.5");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
