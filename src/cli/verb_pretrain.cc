// kith pretrain: language models out of plain texts, by libkith-learn.
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/load_learn.h"
#include "cli/stopwatch.h"
#include "cli/times.h"
#include "cli/toml_text.h"
#include "cli/train_report.h"
#include "kith/error.h"

namespace kith::cli {
namespace {

struct Options : CommonOptions {
  std::string recipe, objective, output, base, tokenizer;
  std::vector<std::string> texts, settings;
  bool restart = false;
};

std::vector<std::string> settings_of(const Options& options, bool seeded) {
  std::vector<std::string> settings;
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) settings.push_back(std::string(key) + "=" + quoted(value));
  };
  set("objective.kind", options.objective);
  set("output", options.output);
  set("model.base", options.base);
  set("model.architecture.tokenizer", options.tokenizer);
  if (!options.texts.empty()) {
    settings.push_back("data=[{files=" + nlohmann::json(options.texts).dump() + "}]");
  }
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  if (seeded) settings.push_back("train.seed=" + std::to_string(options.seed));
  return settings;
}

void run(const Options& options, bool seeded) {
  learn::TrainRequest request;
  request.recipe = options.recipe;
  request.settings = settings_of(options, seeded);
  request.restart = options.restart;
  request.control = options.control();
  if (request.recipe.empty() && request.settings.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "pretrain: no recipe, expected a TOML file or options");
  }
  const Stopwatch watch;
  const learn::TrainSummary summary = load_learn().pretrain(request);
  print_training(summary, Times(watch), options.json);
}

}  // namespace

void add_pretrain(CLI::App& root) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = root.add_subcommand("pretrain", "Learn a language model from plain texts");
  verb->add_option("RECIPE", options->recipe,
                   "What to train on what, and how: a TOML file (default: options alone)")
      ->type_name("");
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
  verb->add_option("-o,--output", options->output, "Folder to write, which must be new")
      ->type_name("FOLDER");
  verb->add_option("--set", options->settings,
                   "KEY=VALUE in place of what the recipe says, such as train.steps=100")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  verb->add_flag("--restart", options->restart,
                 "Begin anew (default: an interrupted training goes on)");
  add_common_options(*verb, *options);
  CLI::Option* seed = verb->get_option("--seed");
  seed->description("Seed of everything random (default: the recipe's, else 1)");
  add_examples(
      *verb,
      "kith pretrain --objective mlm --texts texts.jsonl --tokenizer tokenizer.json -o base\n"
      "kith pretrain recipes/tiny-lm.toml --set train.steps=500\n"
      "kith pretrain --objective mlm --base bert-folder --texts manuals.txt -o adapted\n"
      "# Interrupted? The same command goes on from where it was.");
  verb->callback([options, seed] { run(*options, seed->count() > 0); });
}

}  // namespace kith::cli
