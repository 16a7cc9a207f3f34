#include "learn/codec/list_trainer.h"
#include "learn/loss/list_losses.h"
#include "learn/train/recipe_parts.h"

namespace kith::learn {
namespace {

void read_data(TomlTable& recipe, ListRecipe& into) {
  auto data = recipe.table("data");
  if (!data) recipe.refuse("data", "a table with vectors and queries");
  data->text("vectors", into.vectors);
  if (into.vectors.empty()) data->refuse("vectors", "a file of what is to be indexed");
  data->text("queries", into.queries);
  if (into.queries.empty()) data->refuse("queries", "a file of queries like those to come");
  read_metric(*data, into.metric);
  data->refuse_others();
}

void read_codec(TomlTable& recipe, ListRecipe& into) {
  auto codec = recipe.table("codec");
  if (!codec) return;
  constexpr const char* kKinds[] = {"lists"};
  std::string kind;
  codec->text("kind", kind, kKinds);
  codec->whole("lists", into.lists, 1, 1 << 24);
  codec->whole("parts", into.parts, 1, kMaxDim);
  codec->boolean("rotate", into.rotate);
  codec->refuse_others();
}

void read_loss(TomlTable& recipe, ListRecipe& into) {
  auto table = recipe.table("loss");
  if (!table) return;
  std::vector<const char*> kinds(std::begin(kListLosses), std::end(kListLosses));
  kinds.push_back("contrastive");
  table->text("kind", into.loss, kinds);
  table->number("temperature", into.temperature, 0, 1e6);
  table->whole("depth", into.depth, 1, 1 << 20);
  table->whole("candidates", into.candidates, 1, into.depth);
  table->refuse_others();
}

}  // namespace

ListRecipe read_list_recipe(const std::string& path, const Overrides& settings) {
  TomlTable table = open_recipe(path, settings);
  ListRecipe recipe;
  recipe.output = read_output(table);
  read_data(table, recipe);
  read_codec(table, recipe);
  read_loss(table, recipe);
  read_batches(table, recipe.train, recipe.train.batch, 1);
  read_held_out(table, recipe.held_out, recipe.validation);
  table.refuse_others();
  recipe.document = table.document();
  return recipe;
}

}  // namespace kith::learn
