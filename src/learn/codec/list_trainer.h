// Centres and codewords of an inverted file that imitate how whole vectors rank: S. Xiao et al.,
// "Distill-VQ: learning retrieval oriented vector quantization by distilling knowledge from dense
// embeddings", SIGIR 2022. No labels are needed: the teacher is exact search.
//
// They start as a build would learn them. Each vector stays in the list that it is in then. A
// query's candidates are its nearest vector and some of its next ones; of all queries of a batch
// together they are scored by the vectors (the teacher's), by their lists' centres, and by these
// with what the codes add, and the latter two are trained to give the teacher's order. A code's
// gradient goes to the codeword that is chosen, and through the softmax of -distances to all.
#pragma once

#include <cstddef>
#include <string>

#include "kith/control.h"
#include "kith/types.h"
#include "learn/learn.h"
#include "learn/train/toml.h"
#include "learn/train/training_loop.h"

namespace kith::learn {

struct ListTrainOptions : LoopOptions {
  ListTrainOptions() {
    optimiser.learning_rate = 1e-4;  // of codewords; centres ten times as much, as the authors'
    optimiser.weight_decay = 0;
    optimiser.groups = {{.match = {"centres"}, .rate_factor = 10}};
    epochs = 5;
  }
  std::int64_t batch = 64;  // queries
};

struct ListRecipe {
  std::string output;                      // a new folder
  std::string vectors, queries, held_out;  // files; the last: queries for validation, if any
  Metric metric = Metric::l2;
  std::size_t lists = 0;  // 0: about twice the square root of the number of vectors
  std::size_t parts = 0;  // of the product code; 0: one for every two dimensions
  bool rotate = false;    // a rotation learned first, which stays: opqN
  std::size_t depth = 200, candidates = 8;  // nearest of a query; taken of them at a step
  std::string loss = "listnet";             // or another of kListLosses, or "contrastive"
  double temperature = 0;                   // 0: 1, under cosine 0.05
  ListTrainOptions train;
  ValidationPlan validation;
  std::string document;
};

// Throws as TomlTable does. Without a file's path, of settings alone.
ListRecipe read_list_recipe(const std::string& path, const Overrides& settings);

// Throws what run_training and reading vectors do, and invalid_argument for other dimensions and
// fewer vectors than codewords or lists.
TrainSummary train_lists(const ListRecipe& recipe, bool restart, const Control& control);

}  // namespace kith::learn
