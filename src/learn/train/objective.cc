#include "learn/train/objective.h"

#include <algorithm>
#include <span>

#include "base/random.h"
#include "learn/loss/causal_lm.h"
#include "learn/loss/concepts.h"
#include "learn/loss/distillation.h"
#include "learn/loss/margin_mse.h"
#include "learn/refuse.h"
#include "learn/shards.h"
#include "learn/torch.h"

namespace kith::learn {
namespace {

void expect_word(const char* what, const std::string& word, std::span<const char* const> words) {
  std::string known;
  for (const char* each : words) {
    if (word == each) return;
    known += (known.empty() ? "" : ", ") + std::string(each);
  }
  refuse(std::string(what) + " '" + word + "', expected one of " + known);
}

bool draws_layers(const std::string& kind) {
  return kind == "2d" || kind == "2d-revised" || kind == "2d-st";
}

// Chunks put together again: by column, then by layer.
std::vector<std::vector<at::Tensor>> columns_of(const std::vector<TextChunk>& chunks,
                                                const std::vector<std::vector<at::Tensor>>& parts) {
  std::vector<std::vector<at::Tensor>> columns(chunks.back().column + 1);
  for (std::size_t column = 0; column < columns.size(); ++column) {
    for (std::size_t l = 0; l < parts[0].size(); ++l) {
      std::vector<at::Tensor> rows;
      for (std::size_t c = 0; c < chunks.size(); ++c) {
        if (chunks[c].column == column) rows.push_back(parts[c][l]);
      }
      columns[column].push_back(rows.size() == 1 ? rows[0] : torch::cat(rows));
    }
  }
  return columns;
}

Embedded embedded_at(const std::vector<std::vector<at::Tensor>>& columns, std::size_t layer) {
  Embedded embedded{.queries = columns[0][layer], .positives = columns[1][layer]};
  if (columns.size() > 2) {
    const at::Tensor& flat = columns[2][layer];
    embedded.negatives = flat.view({embedded.queries.size(0), -1, flat.size(1)});
  }
  return embedded;
}

// What compares by MaxSim.
void expect_maxsim(const LossOptions& loss, const ElasticOptions& elastic) {
  constexpr const char* kKinds[] = {"info_nce", "margin_mse", "distillation"};
  expect_word("late interaction: loss", loss.kind, kKinds);
  if (!elastic.kind.empty())
    refuse("late interaction: elastic '" + elastic.kind + "', expected none");
}

// Dimensions with names aren't in an order, nor is a layer's vector.
void expect_concepts(const LossOptions& loss, const ElasticOptions& elastic) {
  if (!elastic.kind.empty()) refuse("concepts: elastic '" + elastic.kind + "', expected none");
  if (loss.concepts.weight == 0 && loss.concepts.ranking == 0) {
    refuse("concepts: concept_weight 0 and ranking_weight 0, expected one of them above 0");
  }
}

}  // namespace

void expect_whole_vectors(const std::string& what, const TextModel& model, const LossOptions& loss,
                          const ElasticOptions& elastic) {
  if (loss.kind != "info_nce") refuse(what + ": loss '" + loss.kind + "', expected info_nce");
  if (!elastic.kind.empty()) refuse(what + ": elastic '" + elastic.kind + "', expected none");
  if (model.late_interaction()) refuse(what + " beside late interaction, expected a vector a text");
  if (model.concepts() != nullptr) refuse(what + " beside concepts, expected none");
}

Objective::Objective(const TextModel& model, const LossOptions& loss, const ElasticOptions& elastic,
                     std::shared_ptr<const Processes> processes, const DocumentCodes* codes)
    : model_(&model),
      processes_(std::move(processes)),
      loss_(loss),
      elastic_(elastic),
      codes_(codes) {
  expect_word("loss", loss.kind, kLossKinds);
  if (!elastic.kind.empty()) expect_word("elastic", elastic.kind, kElasticKinds);
  if (model.late_interaction()) expect_maxsim(loss, elastic);
  if (model.concepts() != nullptr) expect_concepts(loss, elastic);
  if (codes != nullptr) expect_whole_vectors("codes", model, loss, elastic);
  const auto layers = static_cast<std::int64_t>(model.transformer().layers());
  if (elastic.kind == "ese") expect_width("ese", elastic.ese.compressed, model.dim());
  if (elastic.kind == "starbucks") expect_sizes(elastic.sizes, layers, model.dim());
  if (draws_layers(elastic.kind) && layers < 2) refuse("elastic layers of a model with one layer");
  if (elastic_.dims.empty() && elastic.kind != "starbucks") {
    elastic_.dims = doubling_widths(model.dim());
    if (elastic.kind == "1d") elastic_.dims.push_back(model.dim());
  }
  for (const std::int64_t dim : elastic_.dims) {
    if (dim < 1 || dim > model.dim()) {
      refuse("elastic dimension " + std::to_string(dim) + ", expected 1 to " +
             std::to_string(model.dim()));
    }
  }
  const bool needs_dims = draws_layers(elastic.kind) || elastic.kind == "1d";
  if (needs_dims && elastic_.dims.empty()) refuse("elastic: no dimensions");
}

SizeDraw Objective::draw_of(std::uint64_t seed) const {
  if (!draws_layers(elastic_.kind)) return {};
  Random random(seed);
  const SizeSampler sampler{static_cast<std::int64_t>(model_->transformer().layers()),
                            elastic_.dims, elastic_.kind == "2d-st"};
  return sampler.draw(random);
}

// In ascending order, the last layer last.
Objective::Layers Objective::layers_of(const SizeDraw& draw) const {
  const auto last = static_cast<std::int64_t>(model_->transformer().layers());
  Layers layers;
  if (draws_layers(elastic_.kind)) layers = {draw.layer};
  if (elastic_.kind == "ese") {
    for (std::int64_t l = 1; l < last; ++l) layers.push_back(l);
  }
  if (elastic_.kind == "starbucks") {
    for (std::size_t k = 0; k + 1 < elastic_.sizes.size(); ++k) {
      layers.push_back(elastic_.sizes[k].layer);
    }
  }
  layers.push_back(last);
  return layers;
}

std::vector<at::Tensor> Objective::encode(const Tokens& tokens, const Layers& layers,
                                          const ForwardOptions& forward,
                                          at::Tensor* written) const {
  const auto deepest = static_cast<std::size_t>(layers.back());
  const std::vector<at::Tensor> states = model_->transformer().states(tokens, deepest, forward);
  if (written != nullptr && tokens.taught.defined()) {
    const Transformer& transformer = model_->transformer();
    const std::vector<std::size_t> begin(tokens.begin.begin(), tokens.begin.end());
    *written = causal_lm(states.back(), transformer.parameters()[transformer.names().tokens], {},
                         tokens.ids, begin, tokens.taught);
  }
  if (model_->late_interaction()) {
    return {model_->token_vectors(states, static_cast<std::size_t>(layers.back()))};
  }
  if (model_->concepts() != nullptr) {
    const at::Tensor evidence = model_->evidence(states, deepest, tokens);
    return {evidence, model_->vectors_of(evidence)};
  }
  const bool plain = elastic_.kind.empty();
  std::vector<at::Tensor> vectors;
  for (const std::int64_t layer : layers) {
    const auto at = static_cast<std::size_t>(layer);
    vectors.push_back(plain ? model_->vectors(states, at, tokens)
                            : model_->raw_vectors(states, at, tokens));
  }
  return vectors;
}

at::Tensor Objective::base_loss(const Embedded& embedded, const TextBatch& batch) const {
  if (loss_.kind == "cosent") {
    return cosent(embedded.queries, embedded.positives, batch.scores, loss_.cosent);
  }
  if (loss_.kind == "angle") {
    return angle(embedded.queries, embedded.positives, batch.scores, loss_.angle);
  }
  if (loss_.kind == "triplet") {
    if (!embedded.negatives.defined()) refuse("triplet: examples without negatives");
    return triplet(embedded.queries, embedded.positives, embedded.negatives.select(1, 0),
                   loss_.triplet);
  }
  return loss_of_scores(
      [&](const InfoNceOptions& options) { return candidate_scores(embedded, options); }, batch);
}

at::Tensor Objective::loss_of_scores(const ScoresOf& scores, const TextBatch& batch) const {
  InfoNceOptions own = loss_.info_nce;
  own.in_batch = false;
  if (loss_.kind != "info_nce" && !batch.teacher.defined()) {
    refuse(loss_.kind + ": examples without a teacher's scores");
  }
  if (loss_.kind == "margin_mse") return margin_mse(scores(own), batch.teacher);
  const auto distilled = [&] {
    return distil_softmax(scores(own) / own.temperature, batch.teacher / loss_.teacher_temperature);
  };
  if (loss_.kind == "distillation") return distilled();
  const at::Tensor loss =
      info_nce_of_scores(scores(loss_.info_nce), loss_.info_nce, {.masked = batch.masked});
  if (!batch.teacher.defined() || loss_.distillation_weight == 0) return loss;
  return loss + distilled() * loss_.distillation_weight;
}

at::Tensor Objective::late_loss(const Columns& columns, const TextBatch& batch) const {
  EmbeddedSets sets{
      .queries = model_->sets_of(TextRole::query, columns[0][0], batch.queries),
      .positives = model_->sets_of(TextRole::document, columns[1][0], batch.positives),
      .negatives = {}};
  if (columns.size() > 2) {
    sets.negatives = model_->sets_of(TextRole::document, columns[2][0], batch.negatives);
  }
  return loss_of_scores(
      [&](const InfoNceOptions& options) { return candidate_scores(sets, options); }, batch);
}

at::Tensor Objective::products_loss(const Embedded& embedded, const TextBatch& batch) const {
  return loss_of_scores(
      [&](InfoNceOptions options) {
        options.similarity = Similarity::dot;
        return candidate_scores(embedded, options);
      },
      batch);
}

// Every process sees all vectors: one of them alone adds to the codewords' gradients.
at::Tensor Objective::codes_loss(const Embedded& whole, const TextBatch& batch) const {
  const CodeOptions& options = codes_->options();
  const Embedded coded = codes_->coded(whole, loss_.info_nce.temperature, processes_->is_first());
  at::Tensor loss = products_loss(coded, batch) * options.weight;
  if (options.dense_weight > 0) loss = loss + base_loss(whole, batch) * options.dense_weight;
  if (options.reconstruction > 0) {
    loss = loss + codes_->error(whole, coded) * options.reconstruction;
  }
  return loss;
}

at::Tensor Objective::fixed_loss(const at::Tensor& queries, const TextBatch& batch) const {
  const bool cosine = loss_.info_nce.similarity == Similarity::cosine;
  at::Tensor loss = torch::zeros({}, queries.options());
  for (const FixedDocuments& each : batch.fixed) {
    Embedded embedded{.queries = queries, .positives = each.positives};
    if (each.negatives.defined()) {
      embedded.negatives = each.negatives.view({queries.size(0), -1, queries.size(1)});
    }
    if (each.coded && cosine) embedded.queries = unit(queries);
    loss = loss + (each.coded ? products_loss(embedded, batch) : base_loss(embedded, batch));
  }
  return loss;
}

// As encode() gives them, evidence stands before the vectors.
at::Tensor Objective::concepts_loss(const Columns& columns, const TextBatch& batch,
                                    bool ranks) const {
  const ConceptHead& head = *model_->concepts();
  const ConceptLossOptions& options = loss_.concepts;
  const at::Tensor& queries = columns[0][0];
  const at::Tensor& positives = columns[1][0];
  at::Tensor loss =
      (head.activations(queries).mean() + head.activations(positives).mean()) * options.sparsity;
  if (options.weight > 0) {
    std::vector<at::Tensor> evidence, given;
    for (const auto& [column, own] :
         {std::pair(queries, batch.query_concepts), {positives, batch.concepts}}) {
      if (!own.defined()) continue;
      evidence.push_back(column);
      given.push_back(own);
    }
    if (!given.empty()) {
      loss = loss + concept_loss(head.log_odds(torch::cat(evidence)), torch::cat(given),
                                 head.positive_weights(), head.settings().absent_weight) *
                        options.weight;
    }
  }
  if (!ranks || options.ranking == 0) return loss;
  return loss + base_loss(embedded_at(columns, 1), batch) * options.ranking;
}

at::Tensor Objective::loss_of(const Columns& columns, const TextBatch& batch, const SizeDraw& draw,
                              bool ranks) const {
  if (!batch.fixed.empty()) return fixed_loss(columns[0].back(), batch);
  if (model_->late_interaction()) return late_loss(columns, batch);
  if (model_->concepts() != nullptr) return concepts_loss(columns, batch, ranks);
  const EmbeddingLoss base = [&](const Embedded& embedded) { return base_loss(embedded, batch); };
  const Embedded last = embedded_at(columns, columns[0].size() - 1);
  if (codes_ != nullptr) return codes_loss(last, batch);
  const std::string& kind = elastic_.kind;
  if (kind.empty()) return base(last);
  const bool cosine = loss_.info_nce.similarity == Similarity::cosine;
  if (kind == "1d") {
    return matryoshka(last, base,
                      {.dims = elastic_.dims, .weights = elastic_.weights, .normalise = cosine});
  }
  if (draws_layers(kind)) {
    Matryoshka2dOptions options;
    if (kind == "2d-revised") options = revised_2d();
    if (kind == "2d-st") options = adaptive_2d();
    if (elastic_.alignment >= 0) options.alignment = elastic_.alignment;
    return matryoshka_2d(last, embedded_at(columns, 0), draw, base, options);
  }
  if (kind == "ese") {
    std::vector<Embedded> layers;
    for (std::size_t l = 0; l < columns[0].size(); ++l) layers.push_back(embedded_at(columns, l));
    return ese(layers, base, elastic_.ese);
  }
  std::vector<StarbucksLayer> layers;
  for (std::size_t k = 0; k < elastic_.sizes.size(); ++k) {
    layers.push_back({embedded_at(columns, k), elastic_.sizes[k].width});
  }
  if (loss_.kind != "info_nce") {
    return starbucks_pairs(layers, base, elastic_.alignment >= 0 ? elastic_.alignment : 0.3);
  }
  return starbucks_retrieval(layers,
                             {.temperature = loss_.info_nce.temperature,
                              .similarity = loss_.info_nce.similarity,
                              .alignment = elastic_.alignment >= 0 ? elastic_.alignment : 1});
}

// At most `most` sequences each; 0: as many chunks of each column as are computed at once.
std::vector<TextChunk> Objective::cut(const TextBatch& batch, std::int64_t most) const {
  std::vector<TextChunk> chunks;
  const auto add = [&](std::size_t column, const Tokens& tokens) {
    const std::int64_t size =
        most > 0 ? most : shard_size(tokens.sequences(), tokens.ids.device(), processes_->count());
    for (TokensPart& part : learn::cut(tokens, size)) {
      chunks.push_back({column, std::move(part.tokens)});
    }
  };
  add(0, batch.queries);
  if (!batch.fixed.empty()) return chunks;
  add(1, batch.positives);
  if (batch.has_negatives) add(2, batch.negatives);
  return chunks;
}

std::int64_t Objective::vectors_of(const Tokens& tokens) const {
  return model_->late_interaction() ? tokens.count() : tokens.sequences();
}

// Fills in the vectors of chunks that other processes computed.
void Objective::share_vectors(const std::vector<TextChunk>& chunks, std::size_t layers,
                              Parts& parts) const {
  if (processes_->count() == 1) return;
  std::int64_t rows = 0;
  for (const TextChunk& chunk : chunks) rows += vectors_of(chunk.tokens);
  const auto deep = static_cast<std::int64_t>(layers);
  at::Tensor all = torch::zeros({rows, deep, model_->dim()});
  std::int64_t at = 0;
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    const std::int64_t some = vectors_of(chunks[c].tokens);
    if (!parts[c].empty()) all.narrow(0, at, some).copy_(torch::stack(parts[c], 1));
    at += some;
  }
  processes_->sum(all);
  at = 0;
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    const std::int64_t some = vectors_of(chunks[c].tokens);
    const at::Tensor own = all.narrow(0, at, some).to(model_->device());
    parts[c].clear();
    for (std::int64_t l = 0; l < deep; ++l) parts[c].push_back(own.select(1, l).contiguous());
    at += some;
  }
}

double Objective::step(const TextBatch& batch, const StepOptions& options) const {
  const SizeDraw draw = draw_of(options.seed);
  const Layers layers = layers_of(draw);
  const bool cached = options.chunk > 0;
  const std::vector<TextChunk> chunks = cut(batch, options.chunk);
  const std::vector<std::size_t> own = processes_->share(chunks.size());
  // A chunk's dropout is the same whenever it is computed.
  std::vector<at::Tensor> written(chunks.size());
  const auto encode_chunk = [&](std::size_t c) {
    ForwardOptions forward = options.forward;
    forward.training = true;
    forward.seed = Random(options.seed, c + 1).next();
    return encode(chunks[c].tokens, layers, forward, &written[c]);
  };
  // A chunk's part in the mean surprise at tokens that are to be written.
  const bool thinks = batch.queries.taught.defined();
  const double thought = thinks ? loss_.thought_weight : 0;
  const auto taught = [](const Tokens& tokens) { return tokens.taught.sum().item<double>(); };
  const double all_taught = thinks ? std::max(taught(batch.queries), 1.0) : 1;
  // With their graphs, and as the loss takes them.
  Parts outputs(chunks.size()), parts(chunks.size());
  run_shards(own.size(), [&](std::size_t i) {
    const std::size_t c = own[i];
    const torch::AutoGradMode graph(!cached);
    outputs[c] = encode_chunk(c);
    for (const at::Tensor& each : outputs[c]) parts[c].push_back(each.detach());
    if (cached) outputs[c].clear();
  });
  const std::size_t vectors = model_->concepts() != nullptr ? 2 : layers.size();
  share_vectors(chunks, vectors, parts);
  for (auto& chunk : parts) {
    for (at::Tensor& each : chunk) each.requires_grad_();
  }
  const at::Tensor loss = loss_of(columns_of(chunks, parts), batch, draw, options.ranks);
  (loss * (options.scale * (1 - thought))).backward();
  at::Tensor thoughts = torch::zeros({1}, torch::kFloat64);

  const std::size_t shards = std::min(shard_count(), own.size());
  ShardGradients gradients(model_->trained(), shards);
  run_shards(shards, [&](std::size_t shard) {
    for (std::size_t i = shard; i < own.size(); i += shards) {
      const std::size_t c = own[i];
      const std::vector<at::Tensor> again = cached ? encode_chunk(c) : std::move(outputs[c]);
      std::vector<at::Tensor> roots, slopes;
      for (std::size_t l = 0; l < vectors; ++l) {
        // Where codewords alone are trained, nothing leads further.
        if (!parts[c][l].grad().defined() || !again[l].requires_grad()) continue;
        roots.push_back(again[l]);
        slopes.push_back(parts[c][l].grad());
      }
      if (written[c].defined()) {
        roots.push_back(written[c]);
        slopes.push_back(torch::full_like(
            written[c], options.scale * thought * taught(chunks[c].tokens) / all_taught));
      }
      gradients.add(shard, roots, slopes);
    }
  });
  gradients.finish();
  if (!thinks) return loss.item<double>();
  for (const std::size_t c : own) {
    if (!written[c].defined()) continue;
    thoughts += written[c].item<double>() * taught(chunks[c].tokens) / all_taught;
  }
  processes_->sum(thoughts);
  return (1 - thought) * loss.item<double>() + thought * thoughts.item<double>();
}

double Objective::evaluate(const TextBatch& batch, std::uint64_t seed) const {
  const torch::NoGradGuard constant;
  const SizeDraw draw = draw_of(seed);
  const Layers layers = layers_of(draw);
  const std::vector<TextChunk> chunks = cut(batch, 0);
  Parts parts(chunks.size());
  run_shards(chunks.size(),
             [&](std::size_t c) { parts[c] = encode(chunks[c].tokens, layers, {}); });
  return loss_of(columns_of(chunks, parts), batch, draw, true).item<double>();
}

}  // namespace kith::learn
