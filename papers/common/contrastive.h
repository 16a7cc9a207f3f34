// The training that reproductions of text embedders share: short descriptions of Debian's packages
// and their long ones, told apart from the others of a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "papers/common/paper.h"

namespace kith::papers {

// A file of pairs: `kith data train debian`'s short and long descriptions, each with so many of
// BM25's hard negatives; pairs for which it finds fewer are left out.
std::string debian_pairs(const Trial& trial, std::size_t negatives = 0);

// `kith data train wordnet`'s words and their glosses.
std::string gloss_pairs(const Trial& trial);

struct ContrastiveOptions {
  std::string base;          // a model's folder
  std::string model = {};    // further lines of [model]
  std::string data;          // tables [[data]], with what they need
  std::string elastic = {};  // a table [elastic], if any
  std::size_t steps = 150, batch = 96;
  std::size_t query_tokens = 16, document_tokens = 40;
  bool in_batch = true;                    // others' texts are negatives, too
  std::string learning_rate = "1e-3";      // as TOML writes it
  std::optional<std::uint64_t> seed = {};  // the trial's, unless all trials share the model
};

// A [[data]] of one file.
std::string data_table(const std::string& file, std::size_t negatives_each = 0);

// InfoNCE of cosines at temperature 0.05; all weights train. A quick trial takes a few small steps.
std::string contrastive_recipe(const ContrastiveOptions& options, const Trial& trial);

}  // namespace kith::papers
