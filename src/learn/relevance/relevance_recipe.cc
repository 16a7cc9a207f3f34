#include "learn/relevance/relevance_trainer.h"
#include "learn/train/recipe_parts.h"

namespace kith::learn {
namespace {

void read_data(TomlTable& recipe, RelevanceRecipe& into) {
  constexpr std::size_t kMostHits = 100'000;
  auto data = recipe.table("data");
  if (!data) recipe.refuse("data", "a table with task, and model or vectors");
  data->text("task", into.task);
  if (into.task.empty()) data->refuse("task", "a folder with a retrieval task (BEIR's form)");
  data->text("model", into.model);
  data->text("vectors", into.vectors);
  if (into.model.empty() == into.vectors.empty()) {
    data->refuse("model", "either this, a model's folder, or vectors, one of their files");
  }
  data->whole("depth", into.depth, 1, kMostHits);
  data->refuse_others();
}

void read_adapter(TomlTable& recipe, RelevanceNetworkOptions& into) {
  auto table = recipe.table("adapter");
  if (!table) return;
  std::string mapping(name(into.mapping));
  table->text("mapping", mapping, kRelevanceMappings);
  into.mapping = relevance_mapping(mapping);
  table->boolean("free_slope", into.free_slope);
  table->whole("hidden", into.hidden, 1, 1 << 16);
  table->whole("layers", into.layers, 0, 16);
  table->refuse_others();
}

void read_validation(TomlTable& recipe, RelevanceRecipe& into) {
  auto table = recipe.table("validation");
  if (!table) return;
  table->number("share", into.held_out, 0, 0.9);
  table->number("recall", into.recall, 1e-6, 1);
  read_plan(*table, into.validation);
  table->refuse_others();
}

}  // namespace

RelevanceRecipe read_relevance_recipe(const std::string& path, const Overrides& settings) {
  TomlTable table = open_recipe(path, settings);
  RelevanceRecipe recipe;
  recipe.output = read_output(table);
  read_data(table, recipe);
  read_adapter(table, recipe.adapter);
  read_validation(table, recipe);
  read_batches(table, recipe.train, recipe.train.batch, 1);
  table.refuse_others();
  recipe.document = table.document();
  return recipe;
}

}  // namespace kith::learn
