#include "learn/train/recipe.h"

#include <algorithm>

#include "learn/train/recipe_parts.h"
#include "mine/named_rankings.h"

namespace kith::learn {
namespace {

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
  table.boolean("mask_answers", into.mask_answers);
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
  table.number("thought_weight", into.thought_weight, 0, 1);
  table.number("without_thought", into.without_thought, 0, 1);
  table.number("concept_weight", into.concepts.weight, 0, 1e4);
  table.number("ranking_weight", into.concepts.ranking, 0, 1e4);
  table.number("sparsity", into.concepts.sparsity, 0, 1e4);
  table.whole("ranking_after", into.concepts.ranking_after, 0, kMostSteps);
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
  table.text("thought", into.thought);
  table.text("query_concepts", into.query_concepts);
  table.text("concepts", into.concepts);
  table.text("query_prompt", into.query_prompt);
  table.text("document_prompt", into.document_prompt);
}

void read_mine(TomlTable& source, TrainSource& into) {
  constexpr const char* kPicks[] = {"nearest", "random"};
  constexpr std::size_t kMostRanks = 100'000, kMostNegatives = 1 << 10;
  auto table = source.table("mine");
  if (!table) return;
  MineOptions& options = into.mine;
  mine::NegativeOptions& negatives = options.negatives;
  table->texts("by", options.by);
  if (options.by.empty())
    table->refuse("by", "bm25, model, codes, a model's folder or codes:FOLDER, or several of them");
  table->text("teacher", options.teacher);
  if (options.teacher == "bm25") table->refuse("teacher", "model or a model's folder");
  table->texts("corpus", options.corpus);
  table->whole("every", options.every, 0, kMostSteps);
  const bool changes = options.is_by("model") || options.is_by(mine::kOwnCodes);
  if (options.every > 0 && !changes) {
    table->refuse("every", "by or teacher to have \"model\" or \"codes\"");
  }
  table->boolean("scores", options.scores);
  table->whole("first", negatives.first, 1, kMostRanks);
  table->whole("last", negatives.last, negatives.first, kMostRanks);
  table->whole("count", negatives.count, 1, kMostNegatives);
  table->number("max_ratio", negatives.max_ratio, 1e-6, 1e6);
  table->boolean("fill", negatives.fill);
  std::string pick = "nearest";
  table->text("pick", pick, kPicks);
  negatives.random = pick == "random";
  const bool taught = !mine::teacher_of(options.by, options.teacher).empty();
  for (const char* key : {"max_ratio", "scores"}) {
    if (table->has(key) && !taught) table->refuse(key, "a teacher, a model's folder, beside it");
  }
  if (options.scores && !mine::gives_cosines(options.by, options.teacher)) {
    table->refuse("scores", "a teacher that gives cosines, not codes");
  }
  table->refuse_others();
  into.options.negatives_each = static_cast<std::int64_t>(negatives.count);
}

CompressPlan read_compress(TomlTable& recipe) {
  constexpr const char* kKinds[] = {"codes", "low-rank"};
  CompressPlan plan;
  auto table = recipe.table("compress");
  if (!table) return plan;
  table->text("kind", plan.kind, kKinds);
  if (plan.kind.empty()) table->refuse("kind", "codes or low-rank");
  table->whole("sub", plan.sub, 1, encode::PackedTensor::kMostSub);
  plan.dim = std::max<std::size_t>(1, plan.sub / 2);
  table->whole("dim", plan.dim, 1, plan.sub);
  table->whole("codewords", plan.words, 2, encode::PackedTensor::kMostWords);
  table->refuse_others();
  return plan;
}

}  // namespace

std::vector<TrainSource> read_sources(TomlTable& recipe) {
  LossOptions loss;
  if (auto table = recipe.table("loss")) read_loss(*table, loss);
  std::vector<TrainSource> sources;
  for (TomlTable& table : recipe.tables("data")) {
    TrainSource source{.options = {}, .loss = loss};
    read_fields(table, source.options);
    read_mine(table, source);
    table.number("weight", source.options.weight, 0, kAnyNumber);
    table.whole("limit", source.options.limit, 0, kMostSteps);
    table.whole("negatives_each", source.options.negatives_each, 0, 1 << 10);
    constexpr const char* kBatches[] = {"random", "drawn", "walk", "snowball"};
    table.text("batches", source.batches, kBatches);
    if (source.batches != "random" && source.mine.every > 0) {
      table.refuse("batches", "random where negatives are mined anew (every)");
    }
    if (auto own = table.table("loss")) read_loss(*own, source.loss);
    table.refuse_others();
    sources.push_back(std::move(source));
  }
  if (sources.empty()) recipe.refuse("data", "at least one table [[data]]");
  return sources;
}

namespace {

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

TrainOptions read_train(TomlTable& recipe) {
  TrainOptions options;
  auto train = recipe.table("train");
  if (!train) return options;
  read_loop(*train, options);
  train->whole("batch", options.batch, 1, 1 << 20);
  train->whole("chunk", options.chunk, 0, 1 << 20);
  train->whole("query_tokens", options.query_tokens, 0, 1 << 24);
  train->whole("document_tokens", options.document_tokens, 0, 1 << 24);
  train->refuse_others();
  return options;
}

ValidationOptions read_validation(TomlTable& recipe) {
  ValidationOptions options;
  auto table = recipe.table("validation");
  if (!table) return options;
  read_fields(*table, options.source);
  table->whole("examples", options.examples, 1, kMostSteps);
  read_plan(*table, options);
  table->refuse_others();
  return options;
}

std::optional<CodeOptions> read_codes(TomlTable& recipe) {
  constexpr double kMostWeight = 1e4;
  auto table = recipe.table("codes");
  if (!table) return {};
  CodeOptions options;
  table->whole("parts", options.parts, 1, 1 << 16);
  auto bits = static_cast<std::int64_t>(options.bits);
  table->whole("bits", bits, 1, Codebooks::kMostBits);
  options.bits = static_cast<int>(bits);
  table->number("weight", options.weight, 0, kMostWeight);
  table->number("dense_weight", options.dense_weight, 0, kMostWeight);
  table->number("reconstruction", options.reconstruction, 0, kMostWeight);
  if (options.weight == 0 && options.reconstruction == 0) {
    table->refuse("weight", "a number above 0, or reconstruction above 0");
  }
  table->whole("sample", options.sample, 1, kMostSteps);
  table->boolean("alone", options.alone);
  table->refuse_others();
  return options;
}

std::vector<std::string> read_documents(TomlTable& recipe) {
  std::vector<std::string> models;
  auto table = recipe.table("documents");
  if (!table) return models;
  table->texts("models", models);
  if (models.empty()) table->refuse("models", "folders of the models whose documents are sought");
  table->refuse_others();
  return models;
}

// What the trained model, or its codes, can't rank.
void check_miners(const TomlTable& table, const Recipe& recipe) {
  for (const TrainSource& source : recipe.sources) {
    if (source.mine.is_by(mine::kOwnCodes) && !recipe.codes) {
      table.refuse("codes", "a table, since negatives are mined by \"codes\"");
    }
    if (source.mine.is_by("model") && !recipe.documents.empty()) {
      table.refuse("documents", "no mining by \"model\", which embeds queries alone");
    }
  }
}

}  // namespace

Recipe read_recipe(const std::string& path, const Overrides& settings) {
  TomlTable table = TomlTable::read(path, settings);
  Recipe recipe;
  recipe.output = read_output(table);
  recipe.model = read_model(table);
  recipe.sources = read_sources(table);
  recipe.elastic = read_elastic(table);
  recipe.train = read_train(table);
  recipe.compress = read_compress(table);
  recipe.codes = read_codes(table);
  recipe.documents = read_documents(table);
  if (recipe.codes && !recipe.documents.empty()) {
    table.refuse("documents", "no [codes] beside it: codes are of documents that are trained");
  }
  check_miners(table, recipe);
  recipe.validation = read_validation(table);
  table.refuse_others();
  recipe.document = table.document();
  return recipe;
}

}  // namespace kith::learn
