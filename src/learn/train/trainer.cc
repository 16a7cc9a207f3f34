#include "learn/train/trainer.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/progress.h"
#include "base/random.h"
#include "codec/codebooks.h"
#include "encode/compress.h"
#include "kith/error.h"
#include "learn/device.h"
#include "learn/refuse.h"
#include "learn/threads.h"
#include "learn/torch.h"
#include "learn/train/batches.h"
#include "learn/train/concept_list.h"
#include "learn/train/document_vectors.h"
#include "learn/train/held_out.h"
#include "learn/train/sampler.h"

namespace kith::learn {
namespace {

std::vector<std::vector<Example>> read_all(const Recipe& recipe) {
  if (recipe.sources.empty()) refuse("no data: expected at least one [[data]]");
  std::vector<std::vector<Example>> examples;
  for (const TrainSource& source : recipe.sources) {
    examples.push_back(read_examples(source.options));
  }
  return examples;
}

// What is to have names is counted among the examples.
TextModelOptions model_options(const Recipe& recipe,
                               const std::vector<std::vector<Example>>& examples) {
  TextModelOptions options = recipe.model;
  if (options.concepts) options.concepts->concepts = concepts_of(*options.concepts, examples);
  return options;
}

// That go through the model.
std::int64_t tokens_of(const TextBatch& batch) {
  const std::int64_t queries = batch.queries.count();
  if (!batch.fixed.empty()) return queries;
  return queries + batch.positives.count() + (batch.has_negatives ? batch.negatives.count() : 0);
}

class EmbedderTask : public TrainingTask {
 public:
  EmbedderTask(const Recipe& recipe, const Control& control,
               std::shared_ptr<const Processes> processes)
      : recipe_(recipe),
        options_(recipe.train),
        control_(control),
        processes_(std::move(processes)),
        examples_(read_all(recipe)),
        model_(model_options(recipe, examples_), recipe.train.seed) {
    model_.to(find_device(options_.device));
    factor();
    expect_whole();
    start_codes();
    for (const std::string& folder : recipe_.documents) document_models_.emplace_back(folder);
    std::vector<SourceSize> sizes;
    for (std::size_t s = 0; s < recipe_.sources.size(); ++s) {
      const TrainSource& source = recipe_.sources[s];
      sizes.push_back({examples_[s].size(), source.options.weight});
      objectives_.emplace_back(model_, source.loss, recipe_.elastic, processes_,
                               codes_ ? &*codes_ : nullptr);
      answers_.emplace_back(source.loss.mask_answers ? Answers(examples_[s]) : Answers());
      if (model_.concepts() != nullptr && source.loss.concepts.weight > 0) {
        expect_given(*model_.concepts(), examples_[s], source.options);
      }
      mined_.emplace_back();
      if (!source.mine.by.empty()) {
        mined_.back().emplace(source.mine, options_.seed, examples_[s]);
      }
    }
    sampler_.emplace(sizes, static_cast<std::size_t>(options_.batch), options_.seed);
    for (std::size_t s = 0; s < examples_.size(); ++s) {
      if (!mined_[s]) draw_near(s);
    }
    SourceOptions held = recipe_.validation.source;
    if (held.files.empty()) return;
    held.limit = recipe_.validation.examples;
    held_out_ = read_examples(held);
  }

  Parameters trained() const override {
    Parameters all = factored_ ? factored_->trained() : model_.trained();
    if (codes_) all.add("codes.", codes_->parameters());
    return all;
  }
  std::int64_t parameters() const override {
    const std::int64_t whole =
        model_.parameters().values() + (codes_ ? codes_->parameters().values() : 0);
    return factored_ ? whole - factored_->whole_values() + factored_->factor_values() : whole;
  }
  std::int64_t batches_per_epoch() const override { return sampler_->steps_per_epoch(); }
  void skip(std::int64_t batches) override { sampler_->skip(batches); }

  void prepare(std::int64_t steps) override {
    steps_before_ = steps;
    bool changed = false;
    std::optional<TrainedCodebooks> codes;
    if (factored_) factored_->load();
    for (std::size_t s = 0; s < mined_.size(); ++s) {
      if (!mined_[s] || !mined_[s]->is_due(steps)) continue;
      changed = true;
      if (!processes_->is_first()) continue;
      if (codes_ && !codes) codes = codebooks();
      mined_[s]->mine(steps, model_, recipe_.sources[s].options, limits(), examples_[s],
                      without_progress(control_), codes ? &*codes : nullptr);
      if (processes_->count() == 1) draw_near(s);
    }
    if (changed && processes_->count() > 1) restore(processes_->from_first(state()));
    if (!document_models_.empty() && (changed || !documents_)) embed_documents_once();
  }

  // By source, null where nothing is mined.
  std::string state() const override {
    nlohmann::json state = nlohmann::json::array();
    for (const auto& each : mined_) state.push_back(each ? each->state() : nlohmann::json());
    std::string bytes;
    nlohmann::json::to_msgpack(state, bytes);
    return bytes;
  }
  void restore(const std::string& bytes) override {
    const nlohmann::json state = nlohmann::json::from_msgpack(bytes);
    for (std::size_t s = 0; s < mined_.size(); ++s) {
      if (!mined_[s]) continue;
      mined_[s]->restore(state.at(s), examples_[s]);
      draw_near(s);
    }
    documents_.reset();
  }

  StepOutcome step(std::uint64_t seed, double scale) override {
    const BatchRows rows = sampler_->next();
    const TrainSource& source = recipe_.sources[rows.source];
    const TextBatch batch = make_batch(
        model_, examples_[rows.source], rows.rows, source.options, source.loss, limits(), control_,
        rows.negatives,
        {.answers = &answers_[rows.source], .documents = documents_ ? &*documents_ : nullptr});
    const bool alone = recipe_.codes && recipe_.codes->alone;
    const StepOptions step{.forward = {.training = true,
                                       .dropout = alone ? 0 : options_.dropout,
                                       .attention_dropout = alone ? 0 : options_.attention_dropout},
                           .seed = seed,
                           .chunk = options_.chunk,
                           .scale = scale,
                           .ranks = steps_before_ >= source.loss.concepts.ranking_after};
    const double loss = objectives_[rows.source].step(batch, step);
    if (factored_) factored_->collect();
    return {
        .loss = loss, .tokens = tokens_of(batch), .candidates = candidates_of(batch, source.loss)};
  }

  std::vector<Measure> validate() override {
    if (held_out_.empty()) return {};
    if (factored_) factored_->load();
    const std::vector<std::string> names = metrics();
    at::Tensor values = torch::zeros({static_cast<std::int64_t>(names.size())}, torch::kFloat64);
    if (processes_->is_first()) values = torch::tensor(measured(), torch::kFloat64);
    processes_->sum(values);
    std::vector<Measure> measures;
    for (std::size_t i = 0; i < names.size(); ++i) {
      measures.push_back({names[i], values[static_cast<std::int64_t>(i)].item<double>()});
    }
    return measures;
  }

  void save(const std::string& folder,
            const std::map<std::string, std::string>& files) const override {
    if (factored_) factored_->load();
    if (recipe_.compress.kind != "codes" && !codes_) return model_.save(folder, {.files = files});
    const std::string whole = folder + ".whole";
    std::filesystem::remove_all(whole);
    model_.save(whole, {.files = files});
    if (codes_) {
      codebooks().save(whole + "/" + kCodebooksFile);
      std::error_code error;
      std::filesystem::rename(whole, folder, error);
      if (error) throw Error(ErrorCode::io, folder + ": cannot be made: " + error.message());
      return;
    }
    encode::write_packed_model(whole, folder, factored_->packed(), true);
    std::filesystem::remove_all(whole);
  }

 private:
  // The source's batches from now on, where negatives are drawn with them.
  void draw_near(std::size_t s) {
    const TrainSource& source = recipe_.sources[s];
    if (source.batches == "random") return;
    const Locality locality = source.batches == "walk"       ? Locality::walk
                              : source.batches == "snowball" ? Locality::snowball
                                                             : Locality::none;
    sampler_->draw_by(
        s, LocalitySampler(examples_[s], locality, static_cast<std::size_t>(options_.batch),
                           options_.seed + s, source.options.name));
  }
  // What codes and documents of other models are for.
  void expect_whole() const {
    if (!recipe_.codes && recipe_.documents.empty()) return;
    const std::string what = recipe_.codes ? "codes" : "documents";
    if (!recipe_.compress.kind.empty()) refuse(what + " beside [compress], expected one of them");
    for (const TrainSource& source : recipe_.sources) {
      expect_whole_vectors(what, model_, source.loss, recipe_.elastic);
      if (source.loss.info_nce.similarity != similarity()) {
        refuse(what + ": sources with different similarities, expected one");
      }
    }
  }
  Similarity similarity() const { return recipe_.sources[0].loss.info_nce.similarity; }

  // By a sample of the positives, as the model gives them before it is trained.
  void start_codes() {
    if (!recipe_.codes) return;
    const bool first = processes_->is_first();
    const at::Tensor vectors = first ? sampled_documents() : torch::zeros({1, model_.dim()});
    codes_.emplace(*recipe_.codes, similarity(), vectors.to(model_.device()), options_.seed,
                   control_);
    at::Tensor words = codes_->parameters()["words"].detach();
    if (!first) words.zero_();
    processes_->sum(words);
    if (!recipe_.codes->alone) return;
    for (const Parameter& each : model_.parameters()) each.value.set_requires_grad(false);
  }

  at::Tensor sampled_documents() const {
    std::unordered_set<std::string_view> seen;
    std::vector<std::pair<std::size_t, std::string_view>> all;  // with their source
    for (std::size_t s = 0; s < examples_.size(); ++s) {
      for (const Example& each : examples_[s]) {
        if (seen.insert(each.positive).second) all.emplace_back(s, each.positive);
      }
    }
    std::vector<std::vector<std::string_view>> texts(examples_.size());
    const auto most = static_cast<std::size_t>(recipe_.codes->sample);
    for (const std::uint32_t i : random_sample(all.size(), most, options_.seed)) {
      texts[all[i].first].push_back(all[i].second);
    }
    std::vector<at::Tensor> vectors;
    for (std::size_t s = 0; s < texts.size(); ++s) {
      vectors.push_back(embed_documents(model_, texts[s], recipe_.sources[s].options, limits(),
                                        without_progress(control_)));
    }
    return torch::cat(vectors);
  }

  // For an index of the model's documents.
  TrainedCodebooks codebooks() const {
    const bool cosine = similarity() == Similarity::cosine || model_.normalized();
    return codes_->codebooks(cosine ? Metric::cosine : Metric::ip);
  }

  // All that batches hold, until negatives are mined anew.
  void embed_documents_once() {
    std::vector<std::string_view> texts;
    for (std::size_t s = 0; s < examples_.size(); ++s) {
      const TrainSource& source = recipe_.sources[s];
      for (const Example& each : examples_[s]) {
        texts.emplace_back(each.positive);
        std::size_t some = each.negatives.size();
        if (source.batches == "random") {
          some = std::min(some, static_cast<std::size_t>(source.options.negatives_each));
        }
        texts.insert(texts.end(), each.negatives.begin(),
                     each.negatives.begin() + static_cast<std::ptrdiff_t>(some));
      }
    }
    documents_.emplace(document_models_, texts, model_.dim(), *processes_, control_);
  }

  // The first decides: what is trained is to find candidates by codes.
  std::vector<std::string> metrics() const {
    std::vector<std::string> names = {"mrr_at_10"};
    if (codes_) names.insert(names.begin(), "mrr_at_10_by_codes");
    if (model_.concepts() != nullptr) names.emplace_back("concept_f1_at_5");
    for (std::size_t m = 1; m <= document_models_.size(); ++m) {
      names.push_back("mrr_at_10_of_model_" + std::to_string(m));
    }
    return names;
  }

  // In the order of metrics().
  std::vector<double> measured() {
    const SourceOptions& source = recipe_.validation.source;
    const Control quiet = without_progress(control_);
    if (codes_) return measured_by_codes(source, quiet);
    if (!document_models_.empty()) return measured_among_documents(source, quiet);
    std::vector<double> values = {mean_reciprocal_rank(model_, held_out_, source, limits(), quiet)};
    if (model_.concepts() != nullptr) {
      values.push_back(concept_f1(model_, held_out_, source, limits(), quiet));
    }
    return values;
  }

  std::vector<double> measured_by_codes(const SourceOptions& source, const Control& quiet) const {
    const torch::NoGradGuard constant;
    const HeldOut held(held_out_);
    const at::Tensor q = embed_queries(model_, held.queries(), source, limits(), quiet);
    const at::Tensor d = embed_documents(model_, held.documents(), source, limits(), quiet);
    const at::Tensor coded = codes_->coded(d.to(model_.device())).cpu();
    return {held.reciprocal_rank(unit(q).mm(coded.t())),
            held.reciprocal_rank(similarities(q, d, Similarity::cosine))};
  }

  // Of each model, behind their mean.
  std::vector<double> measured_among_documents(const SourceOptions& source, const Control& quiet) {
    const torch::NoGradGuard constant;
    const HeldOut held(held_out_);
    if (!held_documents_) {
      held_documents_.emplace(document_models_, held.documents(), model_.dim(), Processes(), quiet);
    }
    const at::Tensor q = unit(embed_queries(model_, held.queries(), source, limits(), quiet));
    std::vector<double> values = {0};
    for (std::size_t m = 0; m < document_models_.size(); ++m) {
      const at::Tensor& d = held_documents_->tables()[m];
      values.push_back(
          held.reciprocal_rank(q.mm((document_models_[m].is_coded() ? d : unit(d)).t())));
      values[0] += values.back() / static_cast<double>(document_models_.size());
    }
    return values;
  }

  TextLimits limits() const {
    return {static_cast<std::size_t>(options_.query_tokens),
            static_cast<std::size_t>(options_.document_tokens)};
  }

  void factor() {
    if (recipe_.compress.kind.empty()) return;
    if (recipe_.model.base.empty()) {
      refuse("[compress] without a base: expected the model whose weights are factored");
    }
    factored_.emplace(model_.trained(), factored_tensors(recipe_.compress, recipe_.model.base));
  }

  const Recipe& recipe_;
  const TrainOptions& options_;
  const Control& control_;
  std::shared_ptr<const Processes> processes_;
  std::vector<std::vector<Example>> examples_;  // the model may be made of them
  TextModel model_;
  std::optional<FactoredWeights> factored_;
  std::vector<std::optional<HardNegatives>> mined_;  // by source
  std::optional<DocumentCodes> codes_;
  std::vector<DocumentModel> document_models_;
  std::optional<DocumentVectors> documents_, held_documents_;
  std::vector<Answers> answers_;  // by source
  std::vector<Objective> objectives_;
  std::int64_t steps_before_ = 0;
  std::vector<Example> held_out_;
  std::optional<Sampler> sampler_;
};

}  // namespace

TrainSummary train(const Recipe& recipe, bool restart, const Control& control,
                   std::shared_ptr<const Processes> processes) {
  set_threads(control);
  keep_memory();
  expect_new_folder(recipe.output);
  const Control own = before_steps(control, *processes);
  EmbedderTask task(recipe, own, processes);
  TrainingRun run = run_of(recipe, restart);
  run.processes = processes;
  return run_training(task, run, control);
}

}  // namespace kith::learn
