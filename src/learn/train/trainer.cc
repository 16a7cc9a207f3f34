#include "learn/train/trainer.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/progress.h"
#include "encode/compress.h"
#include "learn/device.h"
#include "learn/refuse.h"
#include "learn/threads.h"
#include "learn/torch.h"
#include "learn/train/batches.h"
#include "learn/train/concept_list.h"
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
    std::vector<SourceSize> sizes;
    for (std::size_t s = 0; s < recipe_.sources.size(); ++s) {
      const TrainSource& source = recipe_.sources[s];
      sizes.push_back({examples_[s].size(), source.options.weight});
      objectives_.emplace_back(model_, source.loss, recipe_.elastic, processes_);
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
    return factored_ ? factored_->trained() : model_.trained();
  }
  std::int64_t parameters() const override {
    const std::int64_t whole = model_.parameters().values();
    return factored_ ? whole - factored_->whole_values() + factored_->factor_values() : whole;
  }
  std::int64_t batches_per_epoch() const override { return sampler_->steps_per_epoch(); }
  void skip(std::int64_t batches) override { sampler_->skip(batches); }

  void prepare(std::int64_t steps) override {
    steps_before_ = steps;
    bool changed = false;
    if (factored_) factored_->load();
    for (std::size_t s = 0; s < mined_.size(); ++s) {
      if (!mined_[s] || !mined_[s]->is_due(steps)) continue;
      changed = true;
      if (!processes_->is_first()) continue;
      mined_[s]->mine(steps, model_, recipe_.sources[s].options, limits(), examples_[s],
                      without_progress(control_));
      if (processes_->count() == 1) draw_near(s);
    }
    if (changed && processes_->count() > 1) restore(processes_->from_first(state()));
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
  }

  StepOutcome step(std::uint64_t seed, double scale) override {
    const BatchRows rows = sampler_->next();
    const TrainSource& source = recipe_.sources[rows.source];
    const TextBatch batch = make_batch(model_, examples_[rows.source], rows.rows, source.options,
                                       source.loss, limits(), control_, rows.negatives);
    const StepOptions step{.forward = {.training = true,
                                       .dropout = options_.dropout,
                                       .attention_dropout = options_.attention_dropout},
                           .seed = seed,
                           .chunk = options_.chunk,
                           .scale = scale,
                           .ranks = steps_before_ >= source.loss.concepts.ranking_after};
    const double loss = objectives_[rows.source].step(batch, step);
    if (factored_) factored_->collect();
    return {.loss = loss,
            .tokens = batch.queries.count() + batch.positives.count() +
                      (batch.has_negatives ? batch.negatives.count() : 0),
            .candidates = candidates_of(batch, source.loss)};
  }

  std::vector<Measure> validate() override {
    if (held_out_.empty()) return {};
    if (factored_) factored_->load();
    at::Tensor scores = torch::zeros({2}, torch::kFloat64);
    if (processes_->is_first()) {
      const SourceOptions& source = recipe_.validation.source;
      const Control quiet = without_progress(control_);
      scores[0] = mean_reciprocal_rank(model_, held_out_, source, limits(), quiet);
      if (model_.concepts() != nullptr) {
        scores[1] = concept_f1(model_, held_out_, source, limits(), quiet);
      }
    }
    processes_->sum(scores);
    std::vector<Measure> measures = {{"mrr_at_10", scores[0].item<double>()}};
    if (model_.concepts() != nullptr) {
      measures.push_back({"concept_f1_at_5", scores[1].item<double>()});
    }
    return measures;
  }

  void save(const std::string& folder,
            const std::map<std::string, std::string>& files) const override {
    if (factored_) factored_->load();
    if (recipe_.compress.kind != "codes") return model_.save(folder, {.files = files});
    const std::string whole = folder + ".whole";
    std::filesystem::remove_all(whole);
    model_.save(whole, {.files = files});
    encode::write_packed_model(whole, folder, factored_->packed(), true);
    std::filesystem::remove_all(whole);
  }

 private:
  // The source's batches from now on, where it is to have queries near each other.
  void draw_near(std::size_t s) {
    const TrainSource& source = recipe_.sources[s];
    if (source.batches == "random") return;
    const Locality locality = source.batches == "walk" ? Locality::walk : Locality::snowball;
    sampler_->draw_by(
        s, LocalitySampler(examples_[s], locality, static_cast<std::size_t>(options_.batch),
                           options_.seed + s, source.options.name));
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
