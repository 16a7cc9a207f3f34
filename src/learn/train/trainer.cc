#include "learn/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/parallel.h"
#include "base/progress.h"
#include "kith/error.h"
#include "learn/refuse.h"
#include "learn/threads.h"
#include "learn/torch.h"
#include "learn/train/average.h"
#include "learn/train/batches.h"
#include "learn/train/checkpoint.h"
#include "learn/train/curves.h"
#include "learn/train/sampler.h"

namespace kith::learn {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

double cpu_seconds() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

std::string log_of(const TrainSummary& summary) {
  std::string text;
  for (const TrainLine& line : summary.lines) {
    text += ordered_json({{"step", line.step},
                          {"loss", line.loss},
                          {"learning_rate", line.learning_rate},
                          {"gradient_norm", line.gradient_norm}})
                .dump() +
            "\n";
  }
  for (const ValidationLine& line : summary.validations) {
    text += ordered_json({{"step", line.step}, {line.metric, line.score}}).dump() + "\n";
  }
  return text;
}

class Training {
 public:
  Training(const Recipe& recipe, const Control& control)
      : recipe_(recipe),
        options_(recipe.train),
        control_(control),
        model_(recipe.model, recipe.train.seed),
        checkpoint_(recipe.output + ".checkpoint") {
    if (recipe.sources.empty()) refuse("no data: expected at least one [[data]]");
    model_.to(at::Device(options_.device));
    read_sources();
    trained_ = model_.trained();
    if (trained_.size() == 0) refuse("nothing in the model is trained");
    optimiser_.emplace(options_.optimiser, trained_);
    if (options_.average > 0) average_.emplace(trained_, options_.average);
    plan_steps();
  }

  void restore() {
    if (!fs::exists(checkpoint_)) return;
    const Checkpoint kept = read_checkpoint(checkpoint_, without_progress(control_));
    if (kept.recipe != recipe_.document) {
      refuse(checkpoint_ +
             ": of another recipe or other settings; with --restart it is begun anew");
    }
    Parameters weights, state, mean, best;
    for (const Parameter& each : kept.tensors) {
      const std::size_t slash = each.name.find('/');
      const std::string kind = each.name.substr(0, slash), name = each.name.substr(slash + 1);
      Parameters& where = kind == "weights"
                              ? weights
                              : (kind == "optimiser" ? state : (kind == "mean" ? mean : best));
      where.add(name, each.value);
    }
    trained_.assign(weights);
    optimiser_->restore(state);
    if (average_) average_->restore(mean, kept.step);
    if (best.size() != 0) best_ = best;
    read_progress(kept.progress);
    step_ = summary_.first_step = kept.step;
    sampler_->skip(step_ * options_.accumulation);
  }

  TrainSummary run() {
    const double cpu = cpu_seconds();
    const auto began = std::chrono::steady_clock::now();
    summary_.output = recipe_.output;
    summary_.parameters = model_.parameters().values();
    summary_.trained = trained_.values();
    loop();
    finish();
    summary_.steps = step_;
    summary_.cpu_seconds = cpu_seconds() - cpu;
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
    summary_.tokens_per_second = static_cast<double>(tokens_) / std::max(wall.count(), 1e-9);
    summarise();
    return std::move(summary_);
  }

 private:
  void read_sources() {
    std::vector<SourceSize> sizes;
    for (const TrainSource& source : recipe_.sources) {
      examples_.push_back(read_examples(source.options));
      sizes.push_back({examples_.back().size(), source.options.weight});
      objectives_.emplace_back(model_, source.loss, recipe_.elastic);
    }
    sampler_.emplace(sizes, static_cast<std::size_t>(options_.batch), options_.seed);
    const SourceOptions& held = recipe_.validation.source;
    if (held.files.empty()) return;
    SourceOptions some = held;
    some.limit = recipe_.validation.examples;
    held_out_ = read_examples(some);
  }

  void plan_steps() {
    steps_ = options_.steps;
    if (steps_ == 0) {
      const double epoch = static_cast<double>(sampler_->steps_per_epoch());
      steps_ = std::max<std::int64_t>(
          1, std::llround(options_.epochs * epoch / static_cast<double>(options_.accumulation)));
    }
    every_ = recipe_.validation.every > 0 ? recipe_.validation.every
                                          : std::max<std::int64_t>(1, steps_ / 10);
  }

  void loop() {
    Progress progress(control_, "train", static_cast<std::size_t>(steps_));
    progress.add(static_cast<std::size_t>(step_));
    saved_ = std::chrono::steady_clock::now();
    while (step_ < steps_ && !ended_early_) {
      if (control_.cancel != nullptr && control_.cancel->load()) {
        save();
        throw_if_cancelled(control_);
      }
      take_step();
      progress.add(1);
      if (!held_out_.empty() && (step_ % every_ == 0 || step_ == steps_)) validate();
      const std::chrono::duration<double> since = std::chrono::steady_clock::now() - saved_;
      if (since.count() >= options_.checkpoint_seconds) save();
    }
  }

  void take_step() {
    optimiser_->zero_gradients();
    TrainLine line{.step = step_ + 1};
    for (std::int64_t part = 0; part < options_.accumulation; ++part) {
      const BatchRows rows = sampler_->next();
      const TrainSource& source = recipe_.sources[rows.source];
      const TextBatch batch = make_batch(model_, examples_[rows.source], rows.rows, source.options,
                                         source.loss, limits(), control_);
      tokens_ += batch.queries.count() + batch.positives.count() +
                 (batch.has_negatives ? batch.negatives.count() : 0);
      summary_.candidates = std::max(summary_.candidates, candidates_of(batch, source.loss));
      StepOptions step;
      step.forward = {.training = true,
                      .dropout = options_.dropout,
                      .attention_dropout = options_.attention_dropout};
      step.seed =
          Random(options_.seed, static_cast<std::uint64_t>(step_ * options_.accumulation + part))
              .next();
      step.chunk = options_.chunk;
      step.cached = options_.chunk > 0;
      step.scale = 1 / static_cast<double>(options_.accumulation);
      line.loss += objectives_[rows.source].step(batch, step) * step.scale;
    }
    line.gradient_norm = optimiser_->clip(options_.clip);
    if (!std::isfinite(line.loss) || !std::isfinite(line.gradient_norm)) {
      throw Error(ErrorCode::invalid_argument,
                  "step " + std::to_string(step_ + 1) + ": the loss is " +
                      std::to_string(line.loss) + " and its gradient's length " +
                      std::to_string(line.gradient_norm) +
                      "; a lower learning rate or a higher temperature may help");
    }
    const double factor = schedule_factor(options_.schedule, step_, steps_);
    line.learning_rate = options_.optimiser.learning_rate * factor;
    optimiser_->step(factor);
    if (average_) average_->update();
    ++step_;
    summary_.lines.push_back(line);
  }

  TextLimits limits() const {
    return {static_cast<std::size_t>(options_.query_tokens),
            static_cast<std::size_t>(options_.document_tokens)};
  }

  // Runs with the running mean in place of the weights, where there is one.
  void with_average(const std::function<void()>& body) {
    if (!average_) return body();
    const Parameters kept = trained_.copy();
    trained_.assign(average_->mean());
    body();
    trained_.assign(kept);
  }

  void validate() {
    with_average([&] {
      const double score = mean_reciprocal_rank(model_, held_out_, recipe_.validation.source,
                                                limits(), without_progress(control_));
      summary_.validations.push_back({step_, "mrr_at_10", score});
      if (score > best_score_) {
        best_score_ = score;
        summary_.best_step = step_;
        stale_ = 0;
        if (recipe_.validation.keep_best) best_ = trained_.copy();
      } else {
        ++stale_;
      }
    });
    ended_early_ = recipe_.validation.patience > 0 && stale_ >= recipe_.validation.patience;
  }

  void save() {
    Checkpoint checkpoint{
        .step = step_, .recipe = recipe_.document, .progress = progress(), .tensors = {}};
    checkpoint.tensors.add("weights/", trained_);
    checkpoint.tensors.add("optimiser/", optimiser_->state());
    if (average_) checkpoint.tensors.add("mean/", average_->mean());
    if (best_) checkpoint.tensors.add("best/", *best_);
    write_checkpoint(checkpoint_, checkpoint, without_progress(control_));
    saved_ = std::chrono::steady_clock::now();
  }

  std::string progress() const {
    ordered_json lines = ordered_json::array(), validations = ordered_json::array();
    for (const TrainLine& line : summary_.lines) {
      lines.push_back({line.step, line.loss, line.learning_rate, line.gradient_norm});
    }
    for (const ValidationLine& line : summary_.validations) {
      validations.push_back({line.step, line.metric, line.score});
    }
    return ordered_json({{"lines", lines},
                         {"validations", validations},
                         {"best_step", summary_.best_step},
                         {"best_score", best_score_},
                         {"stale", stale_},
                         {"ended_early", ended_early_},
                         {"candidates", summary_.candidates}})
        .dump();
  }

  void read_progress(const std::string& text) {
    const auto json = nlohmann::json::parse(text);
    for (const auto& line : json.at("lines")) {
      summary_.lines.push_back({line.at(0), line.at(1), line.at(2), line.at(3)});
    }
    for (const auto& line : json.at("validations")) {
      summary_.validations.push_back({line.at(0), line.at(1), line.at(2)});
    }
    summary_.best_step = json.at("best_step");
    best_score_ = json.at("best_score");
    stale_ = json.at("stale");
    ended_early_ = json.at("ended_early");
    summary_.candidates = json.at("candidates");
  }

  void finish() {
    if (average_) trained_.assign(average_->mean());
    if (best_) {
      trained_.assign(*best_);
    } else {
      summary_.best_step = 0;
    }
    model_.save(recipe_.output, {{"training/recipe.toml", recipe_.document},
                                 {"training/log.jsonl", log_of(summary_)},
                                 {"training/curves.svg", draw_curves(summary_)}});
    std::error_code ignored;
    fs::remove(checkpoint_, ignored);
  }

  void summarise() {
    const std::size_t some = std::max<std::size_t>(1, summary_.lines.size() / 20);
    double first = 0, last = 0;
    for (std::size_t i = 0; i < some; ++i) {
      first += summary_.lines[i].loss;
      last += summary_.lines[summary_.lines.size() - 1 - i].loss;
    }
    summary_.first_loss = first / static_cast<double>(some);
    summary_.last_loss = last / static_cast<double>(some);
  }

  const Recipe& recipe_;
  const TrainOptions& options_;
  const Control& control_;
  TextModel model_;
  const std::string checkpoint_;
  std::vector<std::vector<Example>> examples_;
  std::vector<Objective> objectives_;
  std::vector<Example> held_out_;
  std::optional<Sampler> sampler_;
  Parameters trained_;
  std::optional<Optimiser> optimiser_;
  std::optional<RunningMean> average_;
  std::optional<Parameters> best_;
  std::int64_t steps_ = 0, step_ = 0, every_ = 0, stale_ = 0, tokens_ = 0;
  double best_score_ = -1;
  bool ended_early_ = false;
  std::chrono::steady_clock::time_point saved_;
  TrainSummary summary_;
};

}  // namespace

TrainSummary train(const Recipe& recipe, bool restart, const Control& control) {
  set_threads(control);
  keep_memory();
  const fs::path output(recipe.output);
  if (recipe.output.empty()) refuse("output is missing, expected the name of a new folder");
  if (fs::exists(output) && !(fs::is_directory(output) && fs::is_empty(output))) {
    refuse(recipe.output + ": exists already, expected the name of a new folder");
  }
  Training training(recipe, control);
  if (!restart) training.restore();
  return training.run();
}

}  // namespace kith::learn
