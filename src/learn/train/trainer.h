// The training of an embedder: examples in, a model's folder out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kith/control.h"
#include "learn/learn.h"
#include "learn/nn/factored_weights.h"
#include "learn/nn/text_model.h"
#include "learn/train/document_codes.h"
#include "learn/train/examples.h"
#include "learn/train/hard_negatives.h"
#include "learn/train/objective.h"
#include "learn/train/training_loop.h"

namespace kith::learn {

struct TrainSource {
  SourceOptions options;
  MineOptions mine = {};
  // How batches are put together: at random, "drawn" with one of its negatives for each example, or
  // of queries that are near each other, by a "walk" or a "snowball" (locality_sampler.h).
  std::string batches = "random";
  LossOptions loss;  // may differ from source to source (NV-Embed's second stage)
};

struct ValidationOptions : ValidationPlan {
  SourceOptions source;          // no files: none
  std::int64_t examples = 1000;  // held out: of the source's file, the first so many
};

struct TrainOptions : LoopOptions {
  std::int64_t batch = 128;                            // examples a step
  std::int64_t chunk = 0;                              // see StepOptions; above 0, GradCache
  std::int64_t query_tokens = 0, document_tokens = 0;  // cut to; 0: the model's length
};

struct Recipe {
  std::string output;
  std::string document;  // the recipe itself, for the checkpoint and the trained folder
  TextModelOptions model;
  std::vector<TrainSource> sources;
  ElasticOptions elastic;
  ValidationOptions validation;
  TrainOptions train;
  CompressPlan compress;             // weights of the base that are trained as factors
  std::optional<CodeOptions> codes;  // that are learned with the model (document_codes.h)
  // Folders of models whose documents the trained one learns to find: it embeds queries alone
  // (document_vectors.h).
  std::vector<std::string> documents;
};

// Writes the model's folder, as `kith embed` runs it, with codebooks.kith where codes are learned.
// Throws invalid_argument for a recipe that can't be, what readers throw, and as run_training()
// does. Several processes train together when each calls it with the same recipe.
TrainSummary train(const Recipe& recipe, bool restart, const Control& control,
                   std::shared_ptr<const Processes> processes = std::make_shared<Processes>());

}  // namespace kith::learn
