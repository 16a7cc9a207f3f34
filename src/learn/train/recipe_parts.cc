#include "learn/train/recipe_parts.h"

#include <limits>

namespace kith::learn {
namespace {

void read_lora(TomlTable& table, TextModelOptions& options) {
  auto lora = table.table("lora");
  if (!lora) return;
  LoraOptions& into = options.lora.emplace();
  lora->whole("rank", into.rank, 1, 1 << 16);
  lora->number("alpha", into.alpha, 0, kAnyNumber);
  lora->number("dropout", into.dropout, 0, 0.99);
  lora->texts("layers", into.layers);
  lora->refuse_others();
}

void read_thinking(TomlTable& table, TextModelOptions& options) {
  auto thinking = table.table("thinking");
  if (!thinking) return;
  ThinkingOptions& into = options.thinking.emplace();
  thinking->text("query", into.names.query);
  thinking->text("query_end", into.names.query_end);
  thinking->text("thought", into.names.thought);
  thinking->text("end", into.names.end);
  thinking->text("embed", into.names.embed);
  thinking->whole("query_tokens", into.query_tokens, 1, 1 << 24);
  thinking->whole("thought_tokens", into.thought_tokens, 1, 1 << 24);
  thinking->refuse_others();
}

void read_late_interaction(TomlTable& table, TextModelOptions& options) {
  auto late = table.table("late_interaction");
  if (!late) return;
  LateInteractionOptions& into = options.late_interaction.emplace();
  late->whole("query_tokens", into.query_tokens, 1, 1 << 24);
  late->whole("document_tokens", into.document_tokens, 1, 1 << 24);
  late->boolean("query_expansion", into.query_expansion);
  late->boolean("skip_punctuation", into.skip_punctuation);
  late->boolean("markers", into.markers);
  late->refuse_others();
}

void read_concepts(TomlTable& table, TextModelOptions& options) {
  constexpr double kLeastWeight = 1e-6, kMostWeight = 1e6;
  auto concepts = table.table("concepts");
  if (!concepts) return;
  ConceptOptions& into = options.concepts.emplace();
  encode::ConceptSettings& settings = into.settings;
  concepts->text("names", into.names);
  concepts->whole("least", into.least, 1, 1 << 30);
  concepts->number("most_share", into.most_share, 0, 1);
  std::string activation = encode::kConceptActivations[0];
  concepts->text("activation", activation, encode::kConceptActivations);
  settings.activation = activation == encode::kConceptActivations[0]
                            ? encode::ConceptActivation::relu
                            : encode::ConceptActivation::sigmoid;
  concepts->whole("top", settings.top, 0, encode::kMostConcepts);
  concepts->number("absent_weight", settings.absent_weight, kLeastWeight, kMostWeight);
  concepts->number("positive_weight", settings.positive_weight, kLeastWeight, kMostWeight);
  concepts->refuse_others();
}

void read_positions(TomlTable& table, TextModelOptions& options) {
  auto positions = table.table("positions");
  if (!positions) return;
  PositionsOptions& into = options.positions.emplace();
  positions->whole("tokens", into.tokens, 1, 1 << 24);
  positions->text("kind", into.kind, kPositionKinds);
  positions->refuse_others();
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

void read_optimiser(TomlTable& train, LoopOptions& into) {
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

}  // namespace

TomlTable open_recipe(const std::string& path, const Overrides& settings) {
  return path.empty() ? TomlTable::parse("", "the command line", settings)
                      : TomlTable::read(path, settings);
}

std::string read_output(TomlTable& recipe) {
  std::string output;
  recipe.text("output", output);
  if (output.empty()) recipe.refuse("output", "the name of a new folder");
  return output;
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
  read_thinking(*model, options);
  read_late_interaction(*model, options);
  read_concepts(*model, options);
  read_positions(*model, options);
  model->refuse_others();
  return options;
}

void read_loop(TomlTable& train, LoopOptions& into) {
  constexpr const char* kShapes[] = {"linear", "cosine", "constant"};
  if (train.has("epochs")) into.steps = 0;  // unless it says steps, too
  train.whole("steps", into.steps, 0, kMostSteps);
  train.number("epochs", into.epochs, 1e-6, 1e6);
  train.whole("accumulation", into.accumulation, 1, 1 << 20);
  train.number("clip", into.clip, 0, kAnyNumber);
  train.number("dropout", into.dropout, 0, 0.99);
  train.number("attention_dropout", into.attention_dropout, 0, 0.99);
  train.number("average", into.average, 0, 1 - 1e-9);
  train.number("checkpoint_seconds", into.checkpoint_seconds, 0, 1e9);
  train.text("schedule", into.schedule.shape, kShapes);
  train.number("warmup", into.schedule.warmup, 0, 1e9);
  train.number("floor", into.schedule.floor, 0, 1);
  std::int64_t seed = 1;
  train.whole("seed", seed, 0, std::numeric_limits<std::int64_t>::max());
  into.seed = static_cast<std::uint64_t>(seed);
  train.text("device", into.device);
  read_optimiser(train, into);
}

void read_batches(TomlTable& recipe, LoopOptions& into, std::int64_t& batch, std::int64_t least) {
  auto train = recipe.table("train");
  if (!train) return;
  read_loop(*train, into);
  train->whole("batch", batch, least, 1 << 20);
  train->refuse_others();
}

void read_plan(TomlTable& validation, ValidationPlan& into) {
  validation.whole("every", into.every, 0, kMostSteps);
  validation.whole("patience", into.patience, 0, kMostSteps);
  validation.boolean("keep_best", into.keep_best);
}

void read_metric(TomlTable& data, Metric& into) {
  constexpr const char* kMetrics[] = {"l2", "ip", "cosine"};
  std::string metric(name(into));
  data.text("metric", metric, kMetrics);
  into = parse_metric(metric);
}

void read_held_out(TomlTable& recipe, std::string& queries, ValidationPlan& into) {
  auto validation = recipe.table("validation");
  if (!validation) return;
  validation->text("queries", queries);
  if (queries.empty()) validation->refuse("queries", "a file of held-out queries");
  read_plan(*validation, into);
  validation->refuse_others();
}

}  // namespace kith::learn
