#include "learn/train/recipe.h"

#include <limits>

namespace kith::learn {
namespace {

constexpr std::int64_t kMost = 1'000'000'000;
constexpr double kAny = 1e30;

void read_lora(TomlTable& table, TextModelOptions& options) {
  auto lora = table.table("lora");
  if (!lora) return;
  LoraOptions& into = options.lora.emplace();
  lora->whole("rank", into.rank, 1, 1 << 16);
  lora->number("alpha", into.alpha, 0, kAny);
  lora->number("dropout", into.dropout, 0, 0.99);
  lora->texts("layers", into.layers);
  lora->refuse_others();
}

void read_pooling(TomlTable& table, TextModelOptions& options) {
  if (!table.has("pooling")) return;
  PoolerOptions& into = options.pooling.emplace();
  nlohmann::json name;  // a kind alone, or a table
  table.any("pooling", name);
  if (name.is_string()) {
    into.kind = name;
    return;
  }
  auto pooling = table.table("pooling");
  pooling->text("kind", into.kind);
  pooling->boolean("include_prompt", into.include_prompt);
  pooling->whole("latents", into.latents, 1, 1 << 16);
  pooling->whole("heads", into.heads, 0, 1 << 10);
  pooling->whole("head_dim", into.head_dim, 0, 1 << 16);
  pooling->text("tokens", into.tokens);
  pooling->refuse_others();
}

void read_architecture(TomlTable& table, ArchitectureOptions& into) {
  table.text("type", into.type);
  table.whole("layers", into.layers, 1, 1 << 10);
  table.whole("width", into.width, 1, 1 << 16);
  table.whole("heads", into.heads, 1, 1 << 16);
  table.whole("kv_heads", into.kv_heads, 0, 1 << 16);
  table.whole("hidden", into.hidden, 0, 1 << 20);
  table.whole("max_tokens", into.max_tokens, 1, 1 << 24);
  table.text("tokenizer", into.tokenizer);
  table.any("config", into.config);
  table.refuse_others();
}

TextModelOptions read_model(TomlTable& recipe) {
  constexpr const char* kAttention[] = {"causal", "bidirectional"};
  TextModelOptions options;
  auto model = recipe.table("model");
  if (!model) recipe.refuse("model", "a table with base or architecture");
  model->text("base", options.base);
  if (auto architecture = model->table("architecture")) {
    if (!options.base.empty()) model->refuse("architecture", "either this or base");
    read_architecture(*architecture, options.architecture);
  } else if (options.base.empty()) {
    model->refuse("base", "a model's folder, or a table architecture");
  }
  std::string attention;
  model->text("attention", attention, kAttention);
  if (!attention.empty()) options.causal = attention == "causal";
  bool normalize = true;
  model->boolean("normalize", normalize);
  if (model->has("normalize")) options.normalize = normalize;
  model->whole("dim", options.dim, 0, 1 << 16);
  model->boolean("norm_every_layer", options.norm_every_layer);
  if (auto prompts = model->table("prompts")) {
    for (const std::string& name : prompts->keys()) prompts->text(name, options.prompts[name]);
  }
  model->text("default_prompt", options.default_prompt);
  read_pooling(*model, options);
  read_lora(*model, options);
  model->refuse_others();
  return options;
}

void read_info_nce(TomlTable& table, InfoNceOptions& into) {
  constexpr const char* kSimilarities[] = {"cosine", "dot"};
  constexpr double kLeastTemperature = 1e-4;
  table.number("temperature", into.temperature, kLeastTemperature, 1e4);
  std::string similarity = into.similarity == Similarity::cosine ? "cosine" : "dot";
  table.text("similarity", similarity, kSimilarities);
  into.similarity = similarity == "cosine" ? Similarity::cosine : Similarity::dot;
  table.boolean("in_batch", into.in_batch);
  table.boolean("others_negatives", into.others_negatives);
  table.boolean("symmetric", into.symmetric);
  double margin = 0;
  table.number("false_negative_margin", margin, -2, 2);
  if (table.has("false_negative_margin")) into.margin = margin;
}

// Into what the whole recipe says, where a source has a table of its own.
void read_loss(TomlTable& table, LossOptions& into) {
  constexpr const char* kDistances[] = {"cosine", "euclidean"};
  table.text("kind", into.kind, kLossKinds);
  read_info_nce(table, into.info_nce);
  table.boolean("mask_equal", into.mask_equal);
  table.number("scale", into.cosent.scale, 1e-4, 1e4);
  table.number("angle_scale", into.angle.angle_scale, 1e-4, 1e4);
  table.number("cosine_weight", into.angle.cosine_weight, 0, 1e4);
  table.number("angle_weight", into.angle.angle_weight, 0, 1e4);
  table.number("in_batch_weight", into.angle.in_batch_weight, 0, 1e4);
  table.number("margin", into.triplet.margin, 0, 1e4);
  std::string distance = into.triplet.distance == TripletDistance::cosine ? "cosine" : "euclidean";
  table.text("distance", distance, kDistances);
  into.triplet.distance =
      distance == "cosine" ? TripletDistance::cosine : TripletDistance::euclidean;
  table.number("teacher_temperature", into.teacher_temperature, 1e-4, 1e4);
  table.number("distillation_weight", into.distillation_weight, 0, 1e4);
  table.refuse_others();
}

void read_fields(TomlTable& table, SourceOptions& into) {
  table.texts("files", into.files);
  if (into.files.empty()) table.refuse("files", "a list of JSON lines files");
  into.name = into.files.front();
  table.text("name", into.name);
  table.text("query", into.query);
  table.text("positive", into.positive);
  table.text("negatives", into.negatives);
  table.text("score", into.score);
  table.text("scores", into.scores);
  table.text("query_prompt", into.query_prompt);
  table.text("document_prompt", into.document_prompt);
}

std::vector<TrainSource> read_sources(TomlTable& recipe) {
  LossOptions loss;
  if (auto table = recipe.table("loss")) read_loss(*table, loss);
  std::vector<TrainSource> sources;
  for (TomlTable& table : recipe.tables("data")) {
    TrainSource source{.options = {}, .loss = loss};
    read_fields(table, source.options);
    table.number("weight", source.options.weight, 0, kAny);
    table.whole("limit", source.options.limit, 0, kMost);
    table.whole("negatives_each", source.options.negatives_each, 0, 1 << 10);
    if (auto own = table.table("loss")) read_loss(*own, source.loss);
    table.refuse_others();
    sources.push_back(std::move(source));
  }
  if (sources.empty()) recipe.refuse("data", "at least one table [[data]]");
  return sources;
}

ElasticOptions read_elastic(TomlTable& recipe) {
  ElasticOptions elastic;
  auto table = recipe.table("elastic");
  if (!table) return elastic;
  elastic.kind = "1d";
  table->text("kind", elastic.kind, kElasticKinds);
  table->wholes("dims", elastic.dims, 1, 1 << 16);
  table->numbers("weights", elastic.weights, 0, 1e6);
  std::vector<std::int64_t> layers;
  table->wholes("layers", layers, 1, 1 << 10);
  if (elastic.kind == "starbucks") {
    if (layers.empty() || layers.size() != elastic.dims.size()) {
      table->refuse("layers", "as many as dims, each with its dimension");
    }
    for (std::size_t i = 0; i < layers.size(); ++i) {
      elastic.sizes.push_back({layers[i], elastic.dims[i]});
    }
  }
  table->number("alignment", elastic.alignment, 0, 1e6);
  table->whole("compressed", elastic.ese.compressed, 1, 1 << 16);
  table->refuse_others();
  return elastic;
}

void read_optimiser(TomlTable& train, TrainOptions& into) {
  constexpr const char* kNames[] = {"adamw", "sgd"};
  OptimiserOptions& options = into.optimiser;
  train.text("optimiser", options.name, kNames);
  train.number("learning_rate", options.learning_rate, 0, 1e6);
  train.number("weight_decay", options.weight_decay, 0, 1e6);
  train.number("beta1", options.beta1, 0, 1 - 1e-9);
  train.number("beta2", options.beta2, 0, 1 - 1e-9);
  train.number("epsilon", options.epsilon, 0, 1);
  train.number("momentum", options.momentum, 0, 1);
  for (TomlTable& group : train.tables("groups")) {
    OptimiserGroup& own = options.groups.emplace_back();
    group.texts("match", own.match);
    if (own.match.empty()) group.refuse("match", "starts of tensors' names");
    group.number("rate_factor", own.rate_factor, 0, 1e6);
    group.number("weight_decay", own.weight_decay, 0, 1e6);
    group.refuse_others();
  }
}

TrainOptions read_train(TomlTable& recipe) {
  constexpr const char* kShapes[] = {"linear", "cosine", "constant"};
  TrainOptions options;
  auto train = recipe.table("train");
  if (!train) return options;
  train->whole("steps", options.steps, 0, kMost);
  train->number("epochs", options.epochs, 1e-6, 1e6);
  train->whole("batch", options.batch, 1, 1 << 20);
  train->whole("chunk", options.chunk, 0, 1 << 20);
  train->whole("accumulation", options.accumulation, 1, 1 << 20);
  train->whole("query_tokens", options.query_tokens, 0, 1 << 24);
  train->whole("document_tokens", options.document_tokens, 0, 1 << 24);
  train->number("clip", options.clip, 0, kAny);
  train->number("dropout", options.dropout, 0, 0.99);
  train->number("attention_dropout", options.attention_dropout, 0, 0.99);
  train->number("average", options.average, 0, 1 - 1e-9);
  train->number("checkpoint_seconds", options.checkpoint_seconds, 0, 1e9);
  train->text("schedule", options.schedule.shape, kShapes);
  train->number("warmup", options.schedule.warmup, 0, 1e9);
  train->number("floor", options.schedule.floor, 0, 1);
  std::int64_t seed = 1;
  train->whole("seed", seed, 0, std::numeric_limits<std::int64_t>::max());
  options.seed = static_cast<std::uint64_t>(seed);
  train->text("device", options.device);
  read_optimiser(*train, options);
  train->refuse_others();
  return options;
}

ValidationOptions read_validation(TomlTable& recipe) {
  ValidationOptions options;
  auto table = recipe.table("validation");
  if (!table) return options;
  read_fields(*table, options.source);
  table->whole("every", options.every, 0, kMost);
  table->whole("examples", options.examples, 1, kMost);
  table->whole("patience", options.patience, 0, kMost);
  table->boolean("keep_best", options.keep_best);
  table->refuse_others();
  return options;
}

}  // namespace

Recipe read_recipe(const std::string& path, const Overrides& settings) {
  TomlTable table = TomlTable::read(path, settings);
  Recipe recipe;
  table.text("output", recipe.output);
  if (recipe.output.empty()) table.refuse("output", "the name of a new folder");
  recipe.model = read_model(table);
  recipe.sources = read_sources(table);
  recipe.elastic = read_elastic(table);
  recipe.train = read_train(table);
  recipe.validation = read_validation(table);
  table.refuse_others();
  recipe.document = table.document();
  return recipe;
}

}  // namespace kith::learn
