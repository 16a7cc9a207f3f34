// A binariser (codec/binariser.h) learned from vectors alone, or from vectors and queries: each
// query's code is to be near its vector's, told apart from those of the batch and of a queue that
// a slowly moving copy of the network fills (as He et al., "Momentum contrast", 2020), and codes
// are to be as similar as whole vectors are (loss/code_ranking.h).
//
// A query's vector is one of its nearest, drawn anew each time; without queries the vectors ask for
// their neighbours. `paired`: row i of the vectors belongs to row i of the queries.
//
// A new model's binariser can learn to search an old one's codes, too: beside its own codes of the
// candidates those that the old binariser makes of the old model's vectors of the same items take
// part, and stay as they are.
#pragma once

#include <cstddef>
#include <string>

#include "kith/control.h"
#include "learn/codec/binariser_network.h"
#include "learn/learn.h"
#include "learn/loss/code_ranking.h"
#include "learn/train/toml.h"
#include "learn/train/training_loop.h"

namespace kith::learn {

struct BinariserTrainOptions : LoopOptions {
  BinariserTrainOptions() {
    optimiser.learning_rate = 2e-4;  // more loses neighbours
    optimiser.weight_decay = 0;
    schedule.shape = "cosine";
    steps = 2000;
  }
  std::int64_t batch = 256;  // queries
};

struct BinariserRecipe {
  std::string output;                      // a new folder
  std::string vectors, queries, held_out;  // files; but for the first perhaps none
  bool paired = false;
  std::string compatible_with;  // the folder of an old binariser, or none
  std::string old_vectors;      // then: the old model's, row by row those of `vectors`
  BinariserShape shape;
  CodeRankingOptions loss;
  double compatibility = 1;     // weight of the loss against old codes
  std::size_t neighbours = 10;  // of a query, that its vector is drawn from
  std::int64_t queue = 4096;    // codes
  double momentum = 0.99;       // of the copy that fills the queue
  BinariserTrainOptions train;
  ValidationPlan validation;
  std::string document;
};

// Throws as TomlTable does. Without a file's path, of settings alone.
BinariserRecipe read_binariser_recipe(const std::string& path, const Overrides& settings);
// "lists", "bebr" or "vq": what a recipe of `kith train codec` is for.
std::string read_codec_kind(const std::string& path, const Overrides& settings);

// Throws what run_training and reading vectors do, and invalid_argument for files that don't fit
// each other, vectors of length 0 and too few of them.
TrainSummary train_binariser(const BinariserRecipe& recipe, bool restart, const Control& control);

}  // namespace kith::learn
