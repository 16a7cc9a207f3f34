// The training of a language model: texts in, a model's folder out, which `kith embed` runs and
// `kith train` goes on from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kith/control.h"
#include "learn/learn.h"
#include "learn/nn/text_model.h"
#include "learn/pretrain/corpus.h"
#include "learn/pretrain/language_objective.h"
#include "learn/processes.h"
#include "learn/train/training_loop.h"

namespace kith::learn {

struct PretrainOptions : LoopOptions {
  std::int64_t batch = 32;    // texts a step
  std::int64_t tokens = 128;  // of a text, at most; longer ones become several
};

struct PretrainRecipe {
  std::string output;
  std::string document;  // the recipe itself
  TextModelOptions model;
  LanguageOptions objective;
  std::vector<TextSourceOptions> sources;
  TextSourceOptions held_out;          // no files: none
  std::int64_t held_out_pieces = 500;  // the first so many
  ValidationPlan validation;
  PretrainOptions train;
};

// The folder has the objective's head under the names of published checkpoints. Held-out texts
// give the mean surprise of what is predicted ("loss"), in nats, and its exponential
// ("perplexity"); of ftp also of each token ahead. Throws invalid_argument for a recipe that can't
// be, what readers throw, and as run_training() does. Several processes train together when each
// calls it with the same recipe.
TrainSummary pretrain(const PretrainRecipe& recipe, bool restart, const Control& control,
                      std::shared_ptr<const Processes> processes = std::make_shared<Processes>());

// Throws as TomlTable does, and invalid_argument naming the key for what can't be. An empty path:
// of `settings` alone.
PretrainRecipe read_pretrain_recipe(const std::string& path,
                                    const std::vector<std::string>& settings);

}  // namespace kith::learn
