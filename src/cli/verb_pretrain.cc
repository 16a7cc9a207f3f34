// kith pretrain: language models out of plain texts, by libkith-learn.
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/recipe_options.h"
#include "cli/stopwatch.h"
#include "cli/times.h"
#include "cli/train_processes.h"
#include "cli/train_report.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

struct Options : RecipeOptions {
  std::string objective, base, tokenizer;
  std::vector<std::string> texts;
  std::size_t processes = 0;  // 0: as the environment says
};

void run(const Options& options) {
  const std::string data =
      options.texts.empty() ? "" : "[{files=" + nlohmann::json(options.texts).dump() + "}]";
  learn::TrainRequest request =
      recipe_request(options, {{"objective.kind", toml_text(options.objective)},
                               {"model.base", toml_text(options.base)},
                               {"model.architecture.tokenizer", toml_text(options.tokenizer)},
                               {"data", data}});
  if (request.recipe.empty() && request.settings.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "pretrain: no recipe, expected a TOML file or options");
  }
  const Stopwatch watch;
  const auto report = [&](const learn::TrainSummary& summary) {
    print_training(summary, Times(watch), options.json);
  };
  train_by(options.processes, &learn::Registry::pretrain, std::move(request), report);
}

}  // namespace

void add_pretrain(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("pretrain", "Learn a language model from plain texts");
  verb->add_option(
          "--objective", options->objective,
          "What is predicted: mlm, masked tokens; clm, the next one; smae, masked ones at\n"
          "several sizes and by an autoencoder; ftp, the next few from one state")
      ->type_name("NAME");
  verb->add_option("--texts", options->texts, "Files of texts, in place of the recipe's")
      ->type_name("FILE...");
  verb->add_option("--base", options->base, "Folder of a model to go on from")->type_name("FOLDER");
  verb->add_option("--tokenizer", options->tokenizer, "tokenizer.json of a new model")
      ->type_name("FILE");
  add_processes_option(*verb, options->processes);
  add_recipe_options(*verb, *options, "train.steps=100");
  add_examples(
      *verb,
      "kith pretrain --objective mlm --texts texts.jsonl --tokenizer tokenizer.json -o base\n"
      "kith pretrain recipes/tiny-lm.toml --set train.steps=500\n"
      "kith pretrain --objective mlm --base bert-folder --texts manuals.txt -o adapted\n"
      "# Interrupted? The same command goes on from where it was.");
  verb->callback([options] { run(*options); });
}

}  // namespace kith::cli
