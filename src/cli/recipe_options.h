// What verbs that train by a recipe, or by options alone, share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/options.h"
#include "learn/learn.h"

namespace kith::cli {

struct RecipeOptions : CommonOptions {
  std::string recipe, output;
  std::vector<std::string> settings;
  bool restart = false;
  CLI::Option* seed_option = nullptr;
};

// RECIPE, -o, --set, --restart and the common options. `example`: a setting to show.
void add_recipe_options(CLI::App& verb, RecipeOptions& options, const std::string& example);

// With `own` settings, which the person's --set overrules; an empty value is none.
struct RecipeSetting {
  const char* key;
  std::string value;  // as TOML writes it
};
learn::TrainRequest recipe_request(const RecipeOptions& options,
                                   const std::vector<RecipeSetting>& own);

// As TOML writes a text, or a list of texts; an empty one is "".
std::string toml_text(const std::string& text);

}  // namespace kith::cli
