// The steps of a training, whatever is trained: optimiser, schedule, clipping, accumulation,
// running mean, validation, early stopping, checkpoints, log and curves.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kith/control.h"
#include "learn/learn.h"
#include "learn/nn/parameters.h"
#include "learn/processes.h"
#include "learn/train/optimiser.h"
#include "learn/train/schedule.h"

namespace kith::learn {

struct LoopOptions {
  std::int64_t steps = 0;                         // 0: by epochs
  double epochs = 1;                              // of all sources together
  std::int64_t accumulation = 1;                  // batches whose gradients make one step
  double clip = 1;                                // of the gradients' length; 0: none
  double dropout = 0.1, attention_dropout = 0.1;  // of what is trained
  double average = 0;  // decay of a running mean of the weights, such as 0.999; 0: none
  double checkpoint_seconds = 60;
  std::uint64_t seed = 1;
  std::string device = "cpu";  // or "cuda", "cuda:1"
  OptimiserOptions optimiser;
  ScheduleOptions schedule;
};

struct ValidationPlan {
  std::int64_t every = 0;     // steps; 0: ten times in all
  std::int64_t patience = 0;  // validations without a better one, after which it ends; 0: never
  bool keep_best = true;      // the weights of the best validation, else the last ones
};

struct StepOutcome {
  double loss = 0;
  std::int64_t tokens = 0;
  std::int64_t candidates = 0;  // that a query is told apart from; 0: no such thing
};

// A figure of held-out data.
struct Measure {
  std::string metric;
  double value = 0;
  bool more_is_better = true;
};

// What is trained on what.
class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  virtual Parameters trained() const = 0;       // tensors that change
  virtual std::int64_t parameters() const = 0;  // values in all
  virtual std::int64_t batches_per_epoch() const = 0;

  // Before the step that follows on `steps` of them. May change what batches hold.
  virtual void prepare([[maybe_unused]] std::int64_t steps) {}
  // What prepare() made, for checkpoints, and the way back.
  virtual std::string state() const { return {}; }
  virtual void restore([[maybe_unused]] const std::string& state) {}

  // The next batch: adds `scale` times the gradients of its loss, over all processes together.
  // Batches follow from the task's seed and their number alone, what is random in a step from
  // `seed`.
  virtual StepOutcome step(std::uint64_t seed, double scale) = 0;
  // As if step() had been called so often more.
  virtual void skip(std::int64_t batches) = 0;

  // The first figure is the one that decides; none: nothing is held out.
  virtual std::vector<Measure> validate() = 0;
  // Writes the folder, and `files` into it: by name, their content.
  virtual void save(const std::string& folder,
                    const std::map<std::string, std::string>& files) const = 0;
};

struct TrainingRun {
  std::string output;    // a new folder
  std::string document;  // the recipe, which the folder and the checkpoint keep
  LoopOptions loop;
  ValidationPlan validation;
  bool restart = false;  // forgets an interrupted run's checkpoint
  // That take the same steps. The first one alone writes files, which all of them can read.
  std::shared_ptr<const Processes> processes = std::make_shared<Processes>();
};

// What all recipes say.
template <class Recipe>
TrainingRun run_of(const Recipe& recipe, bool restart) {
  return {.output = recipe.output,
          .document = recipe.document,
          .loop = recipe.train,
          .validation = recipe.validation,
          .restart = restart};
}

// For what comes before the steps: one of several processes must not stop there alone.
Control before_steps(const Control& control, const Processes& processes);

// Throws invalid_argument for an output that can't be written, before anything else is done.
void expect_new_folder(const std::string& output);

// Trains and writes the folder at the end, with training/recipe.toml, training/log.jsonl and
// training/curves.svg. Until then OUTPUT.checkpoint holds the state; after an interruption at any
// moment the same call goes on from it, to the same losses on the same number of threads. Throws
// invalid_argument for another recipe's checkpoint and losses that aren't finite, and cancelled,
// with the state kept.
TrainSummary run_training(TrainingTask& task, const TrainingRun& run, const Control& control);

}  // namespace kith::learn
