// Codewords of a product code (codec/codebooks.h) that are learned with a small network about each
// part, so that they needn't be k-means' means: an encoder, a vector quantiser
// (vector_quantiser.h) and a decoder, which learn to give the part back.
//
//   x_m -> encoder -> z -> e_k -> decoder -> about x_m
//
// Afterwards the network is folded away: what the decoder makes of codeword k is the codeword of
// the product code, and a vector's code is the nearest one, which is never worse than what the
// encoder chose.
#pragma once

#include <cstddef>
#include <string>

#include "kith/control.h"
#include "kith/types.h"
#include "learn/codec/vector_quantiser.h"
#include "learn/learn.h"
#include "learn/train/toml.h"
#include "learn/train/training_loop.h"

namespace kith::learn {

struct CodebookTrainOptions : LoopOptions {
  CodebookTrainOptions() {
    optimiser.weight_decay = 0;
    steps = 3000;
  }
  std::int64_t batch = 512;  // vectors
};

struct CodebookRecipe {
  std::string output;             // a new folder
  std::string vectors, held_out;  // files; the second: vectors for validation, if any
  Metric metric = Metric::l2;     // under cosine vectors are made of length 1 first
  std::size_t parts = 0;          // 0: one for every eight dimensions
  QuantiserOptions quantiser;     // dim 0: as many as the part has, at most 32
  std::int64_t hidden = 256;      // width of a hidden layer with ReLU on both sides; 0: none
  double weight = 1;              // of the quantiser's loss beside the squared error
  double share = 0.1;             // of the vectors, held out where there is no file of such
  bool baseline = true;           // whether k-means is measured beside it
  CodebookTrainOptions train;
  ValidationPlan validation;
  std::string document;

  CodebookRecipe() { quantiser.dim = 0; }
};

// Throws as TomlTable does. Without a file's path, of settings alone.
CodebookRecipe read_codebook_recipe(const std::string& path, const Overrides& settings);

// Validation reports the squared error as a share of the variance (`error`), `utilisation` and
// `perplexity` (code_usage(), means over parts) of the folded codewords; the same of what the
// network itself chooses and decodes (`network_...`); and of k-means on the same rows, at as many
// bytes (`kmeans_...`). Errors are of held-out vectors, usage is of up to 20 training vectors a
// codeword. Throws what run_training and reading vectors do, and invalid_argument for other
// dimensions, values that aren't finite, and fewer vectors than codewords.
TrainSummary train_codebooks(const CodebookRecipe& recipe, bool restart, const Control& control);

}  // namespace kith::learn
