// The training of an embedder: examples in, a model's folder out, with checkpoints in between.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kith/control.h"
#include "learn/learn.h"
#include "learn/nn/text_model.h"
#include "learn/train/examples.h"
#include "learn/train/objective.h"
#include "learn/train/optimiser.h"
#include "learn/train/schedule.h"

namespace kith::learn {

struct TrainSource {
  SourceOptions options;
  LossOptions loss;  // may differ from source to source (NV-Embed's second stage)
};

struct ValidationOptions {
  SourceOptions source;          // no files: none
  std::int64_t every = 0;        // steps; 0: ten times in all
  std::int64_t examples = 1000;  // held out: of the source's file, the first so many
  std::int64_t patience = 0;     // validations without a better one, after which it ends; 0: never
  bool keep_best = true;         // the weights of the best validation, else the last ones
};

struct TrainOptions {
  std::int64_t steps = 0;                              // 0: by epochs
  double epochs = 1;                                   // of all sources together
  std::int64_t batch = 128;                            // examples a step
  std::int64_t chunk = 0;                              // see StepOptions; above 0, GradCache
  std::int64_t accumulation = 1;                       // batches whose gradients make one step
  std::int64_t query_tokens = 0, document_tokens = 0;  // cut to; 0: the model's length
  double clip = 1;                                     // of the gradients' length; 0: none
  double dropout = 0.1, attention_dropout = 0.1;
  double average = 0;  // decay of a running mean of the weights, such as 0.999; 0: none
  double checkpoint_seconds = 60;
  std::uint64_t seed = 1;
  std::string device = "cpu";  // or "cuda", "cuda:1"
  OptimiserOptions optimiser;
  ScheduleOptions schedule;
};

struct Recipe {
  std::string output;
  std::string document;  // the recipe itself, for the checkpoint and the trained folder
  TextModelOptions model;
  std::vector<TrainSource> sources;
  ElasticOptions elastic;
  ValidationOptions validation;
  TrainOptions train;
};

// Writes the model's folder at the end: as `kith embed` runs it, with the recipe and what was
// measured (training/recipe.toml, training/log.jsonl). Until then OUTPUT.checkpoint holds the
// state; after an interruption at any moment the same recipe goes on from it, to the same losses on
// the same number of threads. Throws invalid_argument for a recipe that can't be or another one's
// checkpoint, what readers throw, and cancelled, with the state kept.
TrainSummary train(const Recipe& recipe, bool restart, const Control& control);

}  // namespace kith::learn
