#include "cli/recipe_options.h"

#include <nlohmann/json.hpp>

namespace kith::cli {

void add_recipe_options(CLI::App& verb, RecipeOptions& options, const std::string& example) {
  verb.add_option("RECIPE", options.recipe,
                  "What to train on what, and how: a TOML file (default: options alone)")
      ->type_name("");
  verb.add_option("-o,--output", options.output, "Folder to write, which must be new")
      ->type_name("FOLDER");
  verb.add_option("--set", options.settings,
                  "KEY=VALUE in place of what the recipe says, such as " + example)
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  verb.add_flag("--restart", options.restart,
                "Begin anew (default: an interrupted training goes on)");
  add_common_options(verb, options);
  options.seed_option = verb.get_option("--seed");
  options.seed_option->description("Seed of everything random (default: the recipe's, else 1)");
}

learn::TrainRequest recipe_request(const RecipeOptions& options,
                                   const std::vector<RecipeSetting>& own) {
  learn::TrainRequest request;
  request.recipe = options.recipe;
  if (!options.output.empty()) {
    request.settings.push_back("output=" + toml_text(options.output));
  }
  for (const auto& [key, value] : own) {
    if (!value.empty()) request.settings.push_back(std::string(key) + "=" + value);
  }
  request.settings.insert(request.settings.end(), options.settings.begin(), options.settings.end());
  if (options.seed_option->count() > 0) {
    request.settings.push_back("train.seed=" + std::to_string(options.seed));
  }
  request.restart = options.restart;
  request.control = options.control();
  return request;
}

std::string toml_text(const std::string& text) {
  return text.empty() ? std::string() : nlohmann::json(text).dump();
}

}  // namespace kith::cli
