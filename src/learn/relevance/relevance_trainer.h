// Trains a relevance adapter on a retrieval task: each query's nearest documents, with the
// judgements as labels. N. Rossi et al., "Relevance filtering for embedding-based retrieval", 2024.
#pragma once

#include <cstddef>
#include <string>

#include "kith/control.h"
#include "learn/learn.h"
#include "learn/relevance/relevance_network.h"
#include "learn/train/toml.h"
#include "learn/train/training_loop.h"

namespace kith::learn {

inline constexpr const char* kRelevanceFile = "relevance.kith";

struct RelevanceTrainOptions : LoopOptions {
  RelevanceTrainOptions() {
    epochs = 5;
    dropout = 0.2;
  }
  std::int64_t batch = 128;  // queries, the authors'
};

struct RelevanceRecipe {
  std::string output;          // a new folder
  std::string task;            // a folder of BEIR's form
  std::string model, vectors;  // one of them: a model's folder, or one with the parts' vectors
  std::size_t depth = 100;     // hits of a query
  double held_out = 0.15;      // share of the queries, by their ids
  double recall = 0.95;        // that the threshold keeps among held-out hits
  RelevanceNetworkOptions adapter;
  RelevanceTrainOptions train;
  ValidationPlan validation;
  std::string document;
};

// Throws as TomlTable does. Without a file's path, of settings alone.
RelevanceRecipe read_relevance_recipe(const std::string& path, const Overrides& settings);

// Throws what run_training, reading the task and embedding it do, and invalid_argument where no hit
// is relevant.
TrainSummary train_relevance(const RelevanceRecipe& recipe, bool restart, const Control& control);

}  // namespace kith::learn
