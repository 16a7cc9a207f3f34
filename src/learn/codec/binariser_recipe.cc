#include "learn/codec/binariser_trainer.h"
#include "learn/train/recipe_parts.h"

namespace kith::learn {
namespace {

void read_data(TomlTable& recipe, BinariserRecipe& into) {
  constexpr const char* kMetrics[] = {"cosine"};
  auto data = recipe.table("data");
  if (!data) recipe.refuse("data", "a table with vectors");
  data->text("vectors", into.vectors);
  if (into.vectors.empty()) data->refuse("vectors", "a file of vectors like those to be indexed");
  data->text("queries", into.queries);
  data->boolean("paired", into.paired);
  if (into.paired && into.queries.empty()) data->refuse("paired", "queries beside the vectors");
  data->text("compatible_with", into.compatible_with);
  data->text("old_vectors", into.old_vectors);
  if (into.compatible_with.empty() != into.old_vectors.empty()) {
    data->refuse(into.old_vectors.empty() ? "compatible_with" : "old_vectors",
                 "both, the old binariser's folder and the old model's vectors of the same items");
  }
  std::string metric = "cosine";
  data->text("metric", metric, kMetrics);
  data->refuse_others();
}

void read_codec(TomlTable& recipe, BinariserRecipe& into) {
  constexpr const char* kKinds[] = {"bebr"};
  constexpr std::int64_t kMostBits = 4;
  auto codec = recipe.table("codec");
  if (!codec) return;
  std::string kind;
  codec->text("kind", kind, kKinds);
  codec->whole("dims", into.shape.dims, 1, kMaxDim);
  std::int64_t bits = into.shape.bits;
  codec->whole("bits", bits, 1, kMostBits);
  into.shape.bits = static_cast<int>(bits);
  codec->whole("hidden", into.shape.hidden, 1, kMaxDim);
  codec->boolean("skip", into.shape.skip);
  codec->refuse_others();
}

void read_loss(TomlTable& recipe, BinariserRecipe& into) {
  constexpr double kMostWeight = 1e6;
  auto table = recipe.table("loss");
  if (!table) return;
  table->number("temperature", into.loss.temperature, 1e-6, kMostWeight);
  table->number("nce", into.loss.nce, 0, kMostWeight);
  table->number("distillation", into.loss.distillation, 0, kMostWeight);
  table->number("squares", into.loss.squares, 0, kMostWeight);
  table->number("compatibility", into.compatibility, 0, kMostWeight);
  table->whole("hard", into.loss.hard, 0, 1 << 20);
  table->whole("neighbours", into.neighbours, 1, 1 << 16);
  table->whole("queue", into.queue, 0, 1 << 20);
  table->number("momentum", into.momentum, 0, 1);
  table->refuse_others();
}

}  // namespace

BinariserRecipe read_binariser_recipe(const std::string& path, const Overrides& settings) {
  TomlTable table = open_recipe(path, settings);
  BinariserRecipe recipe;
  recipe.output = read_output(table);
  read_data(table, recipe);
  read_codec(table, recipe);
  read_loss(table, recipe);
  read_batches(table, recipe.train, recipe.train.batch, 2);
  read_held_out(table, recipe.held_out, recipe.validation);
  table.refuse_others();
  recipe.document = table.document();
  return recipe;
}

std::string read_codec_kind(const std::string& path, const Overrides& settings) {
  constexpr const char* kKinds[] = {"lists", "bebr", "vq"};
  TomlTable table = open_recipe(path, settings);
  std::string kind = "lists";
  if (auto codec = table.table("codec")) codec->text("kind", kind, kKinds);
  return kind;
}

}  // namespace kith::learn
