#include "learn/train/training_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/cpu_time.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/random.h"
#include "kith/error.h"
#include "learn/refuse.h"
#include "learn/torch.h"
#include "learn/train/average.h"
#include "learn/train/checkpoint.h"
#include "learn/train/curves.h"

namespace kith::learn {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

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

class Loop {
 public:
  Loop(TrainingTask& task, const TrainingRun& run, const Control& control)
      : task_(task),
        run_(run),
        options_(run.loop),
        control_(control),
        checkpoint_(run.output + ".checkpoint"),
        trained_(task.trained()) {
    if (trained_.size() == 0) refuse("nothing in the model is trained");
    optimiser_.emplace(options_.optimiser, trained_);
    if (options_.average > 0) average_.emplace(trained_, options_.average);
    plan_steps();
  }

  void restore() {
    if (!fs::exists(checkpoint_)) return;
    const Checkpoint kept = read_checkpoint(checkpoint_, without_progress(control_));
    if (kept.recipe != run_.document) {
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
    task_.restore(kept.task);
    task_.skip(step_ * options_.accumulation);
  }

  TrainSummary train() {
    const double cpu = cpu_seconds();
    const auto began = std::chrono::steady_clock::now();
    summary_.output = run_.output;
    summary_.parameters = task_.parameters();
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
  void plan_steps() {
    steps_ = options_.steps;
    if (steps_ == 0) {
      const double epoch = static_cast<double>(task_.batches_per_epoch());
      steps_ = std::max<std::int64_t>(
          1, std::llround(options_.epochs * epoch / static_cast<double>(options_.accumulation)));
    }
    every_ =
        run_.validation.every > 0 ? run_.validation.every : std::max<std::int64_t>(1, steps_ / 10);
  }

  // A cancelled step or validation is begun anew when the training goes on.
  void loop() {
    Progress progress(control_, "train", static_cast<std::size_t>(steps_));
    progress.add(static_cast<std::size_t>(step_));
    saved_ = std::chrono::steady_clock::now();
    try {
      if (is_to_validate()) validate();
      while (step_ < steps_ && !ended_early_) {
        if (is_cancelled()) throw Error(ErrorCode::cancelled, "cancelled");
        task_.prepare(step_);
        take_step();
        progress.add(1);
        if (is_to_validate()) validate();
        const std::chrono::duration<double> since = std::chrono::steady_clock::now() - saved_;
        if (since.count() >= options_.checkpoint_seconds) save();
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::cancelled) throw;
      save();
      throw Error(ErrorCode::cancelled, "cancelled: " + std::to_string(step_) +
                                            " steps are kept in " + checkpoint_ +
                                            ", from which the same command goes on");
    }
  }

  // By anyone: all of them stop before the same step.
  bool is_cancelled() const {
    return run_.processes->any(control_.cancel != nullptr && control_.cancel->load());
  }

  void take_step() {
    optimiser_->zero_gradients();
    TrainLine line{.step = step_ + 1};
    const double scale = 1 / static_cast<double>(options_.accumulation);
    for (std::int64_t part = 0; part < options_.accumulation; ++part) {
      const auto number = static_cast<std::uint64_t>(step_ * options_.accumulation + part);
      const StepOutcome outcome = task_.step(Random(options_.seed, number).next(), scale);
      line.loss += outcome.loss * scale;
      tokens_ += outcome.tokens;
      summary_.candidates = std::max(summary_.candidates, outcome.candidates);
    }
    run_.processes->sum_gradients(trained_);
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

  // The running mean in place of the weights while it lives, where there is one.
  class AverageInPlace {
   public:
    explicit AverageInPlace(const Loop& loop) : trained_(loop.trained_) {
      if (!loop.average_) return;
      kept_ = trained_.copy();
      trained_.assign(loop.average_->mean());
    }
    ~AverageInPlace() {
      if (kept_) trained_.assign(*kept_);
    }
    AverageInPlace(const AverageInPlace&) = delete;
    AverageInPlace& operator=(const AverageInPlace&) = delete;

   private:
    const Parameters& trained_;
    std::optional<Parameters> kept_;
  };

  bool is_to_validate() const {
    return step_ > validated_ && (step_ % every_ == 0 || step_ == steps_);
  }

  void validate() {
    const AverageInPlace average(*this);
    const std::vector<Measure> measures = task_.validate();
    validated_ = step_;
    if (measures.empty()) return;
    for (const Measure& each : measures) {
      summary_.validations.push_back({step_, each.metric, each.value});
    }
    keep_if_best(measures.front());
    ended_early_ = run_.validation.patience > 0 && stale_ >= run_.validation.patience;
  }

  void keep_if_best(const Measure& measure) {
    const double gain = (measure.value - summary_.best_score) * (measure.more_is_better ? 1 : -1);
    const bool better = summary_.best_step == 0 ? std::isfinite(measure.value) : gain > 0;
    if (!better) {
      ++stale_;
      return;
    }
    summary_.metric = measure.metric;
    summary_.best_score = measure.value;
    summary_.best_step = step_;
    stale_ = 0;
    if (run_.validation.keep_best) best_ = trained_.copy();
  }

  void save() {
    if (!run_.processes->is_first()) return;
    Checkpoint checkpoint{.step = step_,
                          .recipe = run_.document,
                          .progress = progress(),
                          .task = task_.state(),
                          .tensors = {}};
    checkpoint.tensors.add("weights/", trained_);
    checkpoint.tensors.add("optimiser/", optimiser_->state());
    if (average_) checkpoint.tensors.add("mean/", average_->mean());
    if (best_) checkpoint.tensors.add("best/", *best_);
    // To its end, when the training is cancelled too.
    write_checkpoint(checkpoint_, checkpoint,
                     {.threads = control_.threads, .cancel = nullptr, .progress = {}});
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
                         {"metric", summary_.metric},
                         {"best_score", summary_.best_score},
                         {"validated", validated_},
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
    summary_.metric = json.at("metric");
    summary_.best_score = json.at("best_score");
    validated_ = json.at("validated");
    stale_ = json.at("stale");
    ended_early_ = json.at("ended_early");
    summary_.candidates = json.at("candidates");
  }

  void finish() {
    if (average_) trained_.assign(average_->mean());
    if (best_) trained_.assign(*best_);
    expect_finite();
    if (!run_.processes->is_first()) return;
    task_.save(run_.output, {{"training/recipe.toml", run_.document},
                             {"training/log.jsonl", log_of(summary_)},
                             {"training/curves.svg", draw_curves(summary_)}});
    std::error_code ignored;
    fs::remove(checkpoint_, ignored);
  }

  // The last step's loss was of the weights before it.
  void expect_finite() const {
    for (const Parameter& each : trained_) {
      if (torch::isfinite(each.value).all().item<bool>()) continue;
      throw Error(ErrorCode::invalid_argument,
                  "step " + std::to_string(step_) + ": " + each.name +
                      " has values that aren't finite; a lower learning rate may help");
    }
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

  TrainingTask& task_;
  const TrainingRun& run_;
  const LoopOptions& options_;
  const Control& control_;
  const std::string checkpoint_;
  Parameters trained_;
  std::optional<Optimiser> optimiser_;
  std::optional<RunningMean> average_;
  std::optional<Parameters> best_;
  std::int64_t steps_ = 0, step_ = 0, every_ = 0, validated_ = 0, stale_ = 0, tokens_ = 0;
  bool ended_early_ = false;
  std::chrono::steady_clock::time_point saved_;
  TrainSummary summary_;
};

}  // namespace

Control before_steps(const Control& control, const Processes& processes) {
  Control own = control;
  if (processes.count() > 1) own.cancel = nullptr;
  return own;
}

void expect_new_folder(const std::string& output) {
  if (output.empty()) refuse("output is missing, expected the name of a new folder");
  if (fs::exists(output) && !(fs::is_directory(output) && fs::is_empty(output))) {
    refuse(output + ": exists already, expected the name of a new folder");
  }
}

TrainSummary run_training(TrainingTask& task, const TrainingRun& run, const Control& control) {
  Loop loop(task, run, control);
  if (!run.restart) loop.restore();
  return loop.train();
}

}  // namespace kith::learn
