#include "learn/pretrain/pretrainer.h"
#include "learn/train/recipe_parts.h"

namespace kith::learn {
namespace {

void read_masking(TomlTable& table, LanguageOptions& into) {
  table.number("mask_rate", into.mask_rate, 1e-6, 1);
  table.boolean("whole_words", into.masking.whole_words);
  table.number("mask", into.masking.mask, 0, 1);
  table.number("random", into.masking.random, 0, 1);
  if (into.masking.mask + into.masking.random > 1) {
    table.refuse("random", "with mask a sum of 1 at most");
  }
}

void read_autoencoder(TomlTable& table, LanguageOptions& into) {
  table.number("encoder_rate", into.encoder_rate, 1e-6, 1);
  table.number("decoder_rate", into.decoder_rate, 1e-6, 1);
  std::vector<std::int64_t> layers, dims;
  table.wholes("layers", layers, 1, 1 << 10);
  table.wholes("dims", dims, 1, 1 << 16);
  if (into.kind == "smae" && (layers.empty() || layers.size() != dims.size())) {
    table.refuse("layers", "as many as dims, one or more, ending with the model's");
  }
  for (std::size_t i = 0; i < std::min(layers.size(), dims.size()); ++i) {
    into.sizes.push_back({layers[i], dims[i]});
  }
}

void read_future(TomlTable& table, LanguageOptions& into) {
  table.whole("decoder_layers", into.future.layers, 1, 1 << 10);
  table.whole("pseudo_tokens", into.future.pseudo_tokens, 1, 1 << 10);
  table.whole("ahead", into.future.ahead, 1, 1 << 10);
  table.whole("decoder_heads", into.future.heads, 0, 1 << 10);
  constexpr const char* kFirst[] = {"start", "token"};
  table.text("first", into.future.first, kFirst);
  table.boolean("raw_states", into.future.raw_states);
  table.number("places", into.places, 1e-6, 1);
  table.number("decay", into.decay, 0, 1);
}

LanguageOptions read_objective(TomlTable& recipe) {
  LanguageOptions options;
  auto table = recipe.table("objective");
  if (!table) return options;
  table->text("kind", options.kind, kObjectiveKinds);
  read_masking(*table, options);
  read_autoencoder(*table, options);
  read_future(*table, options);
  table->refuse_others();
  return options;
}

void read_files(TomlTable& table, TextSourceOptions& into) {
  table.texts("files", into.files);
  if (into.files.empty()) table.refuse("files", "a list of files of texts");
  into.name = into.files.front();
  table.text("name", into.name);
  table.texts("fields", into.fields);
  table.whole("limit", into.limit, 0, kMostSteps);
}

PretrainOptions read_train(TomlTable& recipe) {
  PretrainOptions options;
  auto train = recipe.table("train");
  if (!train) return options;
  read_loop(*train, options);
  train->whole("batch", options.batch, 1, 1 << 20);
  train->whole("tokens", options.tokens, 4, 1 << 24);
  train->refuse_others();
  return options;
}

}  // namespace

PretrainRecipe read_pretrain_recipe(const std::string& path,
                                    const std::vector<std::string>& settings) {
  TomlTable table = open_recipe(path, settings);
  PretrainRecipe recipe;
  recipe.output = read_output(table);
  recipe.model = read_model(table);
  recipe.objective = read_objective(table);
  for (TomlTable& data : table.tables("data")) {
    TextSourceOptions& source = recipe.sources.emplace_back();
    read_files(data, source);
    data.number("weight", source.weight, 0, kAnyNumber);
    data.refuse_others();
  }
  if (recipe.sources.empty()) table.refuse("data", "at least one table [[data]]");
  recipe.train = read_train(table);
  if (auto held = table.table("validation")) {
    read_files(*held, recipe.held_out);
    held->whole("texts", recipe.held_out_pieces, 1, kMostSteps);
    read_plan(*held, recipe.validation);
    held->refuse_others();
  }
  table.refuse_others();
  recipe.document = table.document();
  return recipe;
}

}  // namespace kith::learn
