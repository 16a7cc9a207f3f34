// Models that reproductions train by recipes (docs/training.md), kept in the cache under what they
// are made of: reruns and other papers find them, and a training that was interrupted goes on.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "papers/common/paper.h"

namespace kith::papers {

// The folder of the model that `kith train` makes of a recipe, which lacks its `output`: trained
// now, unless trial.cache/models/NAME-HASH is there. The hash is of the recipe with the content of
// the files and folders that it names in place of their paths. Of several processes that want one
// model, one trains it. Throws what training does.
std::string trained(const Trial& trial, const std::string& name, const std::string& recipe);

// The same by `kith pretrain`.
std::string pretrained(const Trial& trial, const std::string& name, const std::string& recipe);

// The same by `kith train relevance`.
std::string trained_relevance(const Trial& trial, const std::string& name,
                              const std::string& recipe);

// The same by `kith train codec`.
std::string trained_codec(const Trial& trial, const std::string& name, const std::string& recipe);

// The folder that `kith model merge` makes, and what it says of the models. Made anew each time.
struct MergedModel {
  std::string folder;
  learn::MergeSummary summary;
};
MergedModel merged(const Trial& trial, const std::string& name, learn::MergeRequest request);

// CPU seconds of the run that finished a model's training.
double training_seconds(const std::string& folder);

// The last value of a figure of held-out data ("perplexity") that a training logged. Throws
// not_found where it logged none.
double validation_score(const std::string& folder, const std::string& metric);

// What trained() and pretrained() call a model: in "models", with its hash.
std::string model_folder(const Trial& trial, const std::string& name, const std::string& recipe);

// The path of a file that a reproduction makes of others for recipes: NAME in "models/data", with
// the content hash of the training sets (papers/common/data.h) that it is made of; a quick trial
// has none.
std::string data_path(const Trial& trial, const std::string& name,
                      const std::vector<std::string>& sets, const std::string& ending);

// Writes a file, and makes its folder.
void write_recipe(const std::string& path, const std::string& text);

// A list for a recipe: ["a", "b"], [1, 2].
std::string toml_list(const std::vector<std::string>& texts);
std::string toml_list(const std::vector<std::size_t>& numbers);

}  // namespace kith::papers
