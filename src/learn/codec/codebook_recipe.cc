#include "codec/codebooks.h"
#include "learn/codec/codebook_trainer.h"
#include "learn/train/recipe_parts.h"

namespace kith::learn {
namespace {

void read_data(TomlTable& recipe, CodebookRecipe& into) {
  auto data = recipe.table("data");
  if (!data) recipe.refuse("data", "a table with vectors");
  data->text("vectors", into.vectors);
  if (into.vectors.empty()) data->refuse("vectors", "a file of vectors like those to be indexed");
  read_metric(*data, into.metric);
  data->refuse_others();
}

void read_codec(TomlTable& recipe, CodebookRecipe& into) {
  constexpr const char* kKinds[] = {"vq"};
  auto codec = recipe.table("codec");
  if (!codec) return;
  std::string kind;
  codec->text("kind", kind, kKinds);
  codec->whole("parts", into.parts, 1, kMaxDim);
  std::int64_t bits = into.quantiser.bits;
  codec->whole("bits", bits, 1, Codebooks::kMostBits);
  into.quantiser.bits = static_cast<int>(bits);
  codec->text("quantiser", into.quantiser.kind, kQuantisers);
  codec->whole("latent", into.quantiser.dim, 1, static_cast<std::int64_t>(kMaxDim));
  codec->whole("hidden", into.hidden, 0, static_cast<std::int64_t>(kMaxDim));
  codec->number("decay", into.quantiser.decay, 0, 1);
  codec->number("restart", into.quantiser.restart, 0, 1);
  codec->refuse_others();
}

void read_loss(TomlTable& recipe, CodebookRecipe& into) {
  auto table = recipe.table("loss");
  if (!table) return;
  table->number("commitment", into.quantiser.commitment, 0, kAnyNumber);
  table->number("weight", into.weight, 0, kAnyNumber);
  table->refuse_others();
}

void read_validation(TomlTable& recipe, CodebookRecipe& into) {
  constexpr double kMostShare = 0.9;
  auto validation = recipe.table("validation");
  if (!validation) return;
  validation->text("vectors", into.held_out);
  validation->number("share", into.share, 1e-6, kMostShare);
  validation->boolean("baseline", into.baseline);
  read_plan(*validation, into.validation);
  validation->refuse_others();
}

}  // namespace

CodebookRecipe read_codebook_recipe(const std::string& path, const Overrides& settings) {
  TomlTable table = open_recipe(path, settings);
  CodebookRecipe recipe;
  recipe.output = read_output(table);
  read_data(table, recipe);
  read_codec(table, recipe);
  read_loss(table, recipe);
  read_batches(table, recipe.train, recipe.train.batch, 1);
  // Decay would pull the one linear layer, and with it all codewords, to 0.
  if (recipe.quantiser.kind != "fsq") {
    recipe.train.optimiser.groups.push_back({.match = {"quantiser"}, .weight_decay = 0});
  }
  read_validation(table, recipe);
  table.refuse_others();
  recipe.document = table.document();
  return recipe;
}

}  // namespace kith::learn
